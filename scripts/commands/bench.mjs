import path from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { toolEnvironment } from '../lib/environment.mjs';
import { findBenches } from '../lib/find-bench.mjs';
import { handOver } from '../lib/hand-over.mjs';
import { ROOT } from '../lib/paths.mjs';
import { exitWith } from '../lib/setup-error.mjs';

const EXIT_USAGE = 2;
const RUNNER = path.join(ROOT, 'scripts/lib/run-bench.mjs');

try {
  const toolchain = await bootstrap();
  const [name, ...args] = process.argv.slice(2);
  const benches = findBenches(ROOT);
  const file = benches.get(name);
  if (file) {
    const flags = ['--enable-source-maps', '--expose-gc', RUNNER, file];
    process.exitCode = await handOver(toolchain.node, [...flags, ...args], {
      env: toolEnvironment(process.env, toolchain, ROOT),
    });
  } else {
    process.stderr.write(
      `usage: npm run bench -- NAME [--quick]\nbenchmarks: ${[...benches.keys()].sort().join(', ') || 'none yet'}\n`,
    );
    process.exitCode = EXIT_USAGE;
  }
} catch (error) {
  exitWith(error);
}
