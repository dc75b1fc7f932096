import path from 'node:path';
import { bootstrap } from '../lib/bootstrap.mjs';
import { toolEnvironment } from '../lib/environment.mjs';
import { handOver } from '../lib/hand-over.mjs';
import { ROOT } from '../lib/paths.mjs';
import { exitWith } from '../lib/setup-error.mjs';

const SUPERVISOR = path.join(ROOT, 'packages/supervisor/dist/main.js');

try {
  const toolchain = await bootstrap();
  process.exitCode = await handOver(toolchain.node, ['--enable-source-maps', SUPERVISOR, ...process.argv.slice(2)], {
    env: toolEnvironment(process.env, toolchain, ROOT),
  });
} catch (error) {
  exitWith(error);
}
