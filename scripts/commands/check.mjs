import { bootstrap } from '../lib/bootstrap.mjs';
import { GATES } from '../lib/gates.mjs';
import { runGates } from '../lib/run-gates.mjs';
import { exitWith } from '../lib/setup-error.mjs';

try {
  const toolchain = await bootstrap({ upTo: 'install' });
  const { passed, failed } = await runGates(toolchain, GATES);
  process.stdout.write(`${passed} gates passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  exitWith(error);
}
