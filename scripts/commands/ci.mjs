import { bootstrap } from '../lib/bootstrap.mjs';
import { stopOwnEngine } from '../lib/docker/engine.mjs';
import { GATES } from '../lib/gates.mjs';
import { runGates } from '../lib/run-gates.mjs';
import { runTests } from '../lib/run-tests.mjs';
import { addUp, closingLine } from '../lib/test-results.mjs';

const NOTHING_RAN = { passed: 0, failed: 1, notes: [] };

/** Gates and tests; a set-up that fails is a failure like any other, so that the closing line is printed whatever happens. */
async function run() {
  const toolchain = await bootstrap({ upTo: 'install' });
  const gates = await runGates(toolchain, GATES);
  return addUp(gates, await runTests(toolchain, []));
}

const outcome = await run().catch((error) => ({ ...NOTHING_RAN, notes: [String(error?.stack ?? error)] }));
await stopOwnEngine();
for (const note of outcome.notes) process.stdout.write(`${note}\n`);
process.stdout.write(`${closingLine(outcome)}\n`);
process.exitCode = outcome.failed > 0 || outcome.passed === 0 ? 1 : 0;
