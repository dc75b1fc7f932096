/** The program `sentinel`. */
import { fileURLToPath } from 'node:url';
import { runCommandLine } from './program.js';

const CLONE_DATA = fileURLToPath(new URL('../../../.sentinel', import.meta.url));
const EXIT_INTERRUPTED = 130;

// What a library should call differently is nothing that an operator can change.
process.noDeprecation = true;

const stop = new AbortController();
// The second Ctrl-C does not wait for an answer that is under way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => (stop.signal.aborted ? process.exit(EXIT_INTERRUPTED) : stop.abort()));
}
// `sentinel … | head`: whoever reads has enough.
process.stdout.on('error', () => process.exit(0));

const io = {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  nowUs: () => BigInt(Date.now()) * 1000n,
};
process.exitCode = await runCommandLine(process.argv.slice(2), io, CLONE_DATA);
