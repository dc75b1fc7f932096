import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '@sentinel/service-kit/errors';
import { FlagError, type Flags, HELP, parseFlags } from './flags.js';
import { supervise } from './supervise.js';

/** Signals so close together are one. */
const SAME_SIGNAL_MS = 500;
const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');

process.exitCode = await main();

async function main(): Promise<number> {
  const flags = flagsOrSentence();
  if (flags === null) return EXIT.usage;
  if (flags.help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const { stop, force } = stopSignals();
  return supervise({
    root: ROOT,
    // npm changes to the clone's folder before it runs a script.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    flags,
    env: process.env,
    out: process.stdout,
    err: process.stderr,
    stop,
    force,
  });
}

/** The first signal stops in order, a later one at once. One Ctrl-C may arrive twice: from the terminal and from npm. */
function stopSignals(): { stop: AbortSignal; force: AbortSignal } {
  const [stop, force] = [new AbortController(), new AbortController()];
  let firstAt = Number.POSITIVE_INFINITY;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      firstAt = Math.min(firstAt, performance.now());
      const again = performance.now() - firstAt > SAME_SIGNAL_MS;
      (again ? force : stop).abort();
    });
  }
  return { stop: stop.signal, force: force.signal };
}

function flagsOrSentence(): Flags | null {
  try {
    return parseFlags(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}
