/** The program `sentinel`. */
import { fileURLToPath } from 'node:url';
import { EXIT } from '@sentinel/service-kit/errors';
import { runCommandLine } from './program.js';

const CLONE_DATA = fileURLToPath(new URL('../../../.sentinel', import.meta.url));
const EXIT_INTERRUPTED = 130;

// What a library should call differently is nothing that an operator can change.
process.noDeprecation = true;

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // `sentinel … | head`: whoever reads has enough.
  if (code === 'EPIPE') process.exit(EXIT.ok);
  // An answer that is lost is none.
  process.stderr.write(`the answer could not be written: ${message}\n`);
  process.exit(EXIT.unavailable);
});

let stop: AbortController | undefined;

/** From the first time on that a command asks, Ctrl-C asks it to end; the second does not wait for an answer that is under way. */
function stopSignal(): AbortSignal {
  if (stop !== undefined) return stop.signal;
  const controller = new AbortController();
  stop = controller;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => (controller.signal.aborted ? process.exit(EXIT_INTERRUPTED) : controller.abort()));
  }
  return controller.signal;
}

const io = {
  stdout: process.stdout,
  stderr: process.stderr,
  // A simulation never asks: it computes without a pause in which a handler could run, so signals end it as they end any process.
  get signal() {
    return stopSignal();
  },
  nowUs: () => BigInt(Date.now()) * 1000n,
};
process.exitCode = await runCommandLine(process.argv.slice(2), io, CLONE_DATA);
