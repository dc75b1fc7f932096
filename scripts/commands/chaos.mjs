import path from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { toolEnvironment } from '../lib/environment.mjs';
import { handOver } from '../lib/hand-over.mjs';
import { ROOT } from '../lib/paths.mjs';
import { exitWith } from '../lib/setup-error.mjs';

try {
  const toolchain = await bootstrap();
  const main = path.join(ROOT, 'tests/dist/chaos/main.js');
  process.exitCode = await handOver(toolchain.node, ['--enable-source-maps', main, ...process.argv.slice(2)], {
    env: toolEnvironment(process.env, toolchain, ROOT),
  });
} catch (error) {
  exitWith(error);
}
