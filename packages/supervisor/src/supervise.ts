import { join, resolve } from 'node:path';
import { ConfigError, type Environment } from '@sentinel/service-kit/config';
import { EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { type DataFolder, openDataFolder } from './data-folder.js';
import { Display, type Output } from './display.js';
import type { Flags } from './flags.js';
import { FleetSource } from './fleet-source.js';
import { takeFolder } from './folder-owner.js';
import { type Installation, planInstallation } from './installation.js';
import { endLeftovers, endPostgres } from './leftovers.js';
import { requirePorts, takenPorts } from './ports.js';
import { ensureSecrets } from './secrets.js';
import { Stack } from './stack.js';
import { Alarm, watch } from './watch.js';
import { places, welcome } from './welcome.js';

/** Exit status of a program that Ctrl-C ended (128 + SIGINT). */
const EXIT_INTERRUPTED = 130;

export interface SuperviseOptions {
  /** The clone's top folder. */
  readonly root: string;
  /** What a relative `--data` is relative to. */
  readonly cwd: string;
  readonly flags: Flags;
  readonly env: Environment;
  readonly out: Output;
  readonly err: Output;
  /** Aborted by the first Ctrl-C or SIGTERM: stop in order. */
  readonly stop: AbortSignal;
  /** Aborted by the second: at once. */
  readonly force: AbortSignal;
}

/** Runs the services until asked to stop, or until one of them cannot be started at all. Resolves with the exit status. */
export async function supervise(options: SuperviseOptions): Promise<number> {
  try {
    const folder = openDataFolder(resolve(options.cwd, options.flags.data ?? join(options.root, '.sentinel')));
    const lock = await takeFolder(folder);
    try {
      return await run(options, folder);
    } finally {
      await lock.release();
    }
  } catch (error) {
    return explain(error, options.err);
  }
}

async function run(options: SuperviseOptions, folder: DataFolder): Promise<number> {
  const { root, flags, env, out } = options;
  const installation = await planInstallation({ root, folder, secrets: ensureSecrets(folder), flags, env });
  const display = new Display(out);
  const leftovers = await endLeftovers(folder);
  if (leftovers > 0) {
    await endPostgres(folder);
    display.say(`Ended ${leftovers} service${leftovers === 1 ? '' : 's'} that a killed start had left behind.`);
  }
  await requirePorts(installation.neededPorts);
  const notes = [...installation.warnings, ...(await takenPorts(installation.metricsPorts))];
  for (const note of notes) display.say(`Note: ${note}`);
  return await keepUp(options, folder, installation, display);
}

async function keepUp(
  { flags, stop, force, err }: SuperviseOptions,
  folder: DataFolder,
  installation: Installation,
  display: Display,
): Promise<number> {
  const alarm = new Alarm();
  const stack = new Stack(installation, folder, () => alarm.ring());
  force.addEventListener('abort', () => void stack.kill().then(() => process.exit(EXIT_INTERRUPTED)));
  const source = new FleetSource(installation.endpoints);
  stack.start();
  const greeting = (seconds: number) => welcome(places(installation, folder, flags), seconds);
  await watch({ stack, source, display, alarm, stop, greeting });
  source.close();
  const { failed } = stack;
  if (failed === undefined) display.say('Stopping: agent, engine, ledger, PostgreSQL …');
  await stack.stop();
  if (failed !== undefined) {
    err.write(`${failed.lastWords === '' ? `${failed.name} ${failed.lastEnd}` : failed.lastWords}\n`);
    return failed.exitStatus ?? EXIT.unavailable;
  }
  display.say('Stopped. Everything that was found is kept; npm start goes on with it.');
  return EXIT.ok;
}

/** Says what went wrong in a sentence. Returns the exit status. */
function explain(error: unknown, err: Output): number {
  if (error instanceof ConfigError) {
    err.write(`${error.message}\n`);
    return error.exitCode;
  }
  const known = SentinelError.from(error);
  err.write(`${known.sentence}\n`);
  return exitStatus(known);
}
