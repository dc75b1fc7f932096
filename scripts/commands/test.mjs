import { bootstrap } from '../lib/bootstrap.mjs';
import { runTests } from '../lib/run-tests.mjs';
import { exitWith } from '../lib/setup-error.mjs';
import { closingLine } from '../lib/test-results.mjs';

try {
  const toolchain = await bootstrap();
  const outcome = await runTests(toolchain, process.argv.slice(2));
  for (const note of outcome.notes) process.stdout.write(`${note}\n`);
  process.stdout.write(`${closingLine(outcome)}\n`);
  process.exitCode = outcome.failed > 0 || outcome.passed === 0 ? 1 : 0;
} catch (error) {
  exitWith(error);
}
