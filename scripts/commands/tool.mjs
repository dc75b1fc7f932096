import { bootstrap } from '../lib/bootstrap.mjs';
import { toolEnvironment } from '../lib/environment.mjs';
import { handOver } from '../lib/hand-over.mjs';
import { ROOT } from '../lib/paths.mjs';
import { exitWith } from '../lib/setup-error.mjs';

const [command, ...args] = process.argv.slice(2);
if (!command) {
  process.stderr.write('usage: node scripts/tool.mjs COMMAND [ARGUMENT…]\n');
  process.exit(2);
}
try {
  const toolchain = await bootstrap({ upTo: 'install' });
  process.exitCode = await handOver(command, args, { env: toolEnvironment(process.env, toolchain, ROOT) });
} catch (error) {
  exitWith(error);
}
