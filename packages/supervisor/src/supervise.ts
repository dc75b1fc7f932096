import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError, type Environment } from '@sentinel/service-kit/config';
import { type DirectoryLock, lockDirectory } from '@sentinel/service-kit/directory-lock';
import { EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { type DataFolder, openDataFolder } from './data-folder.js';
import { Display, type Output } from './display.js';
import type { Flags } from './flags.js';
import { FleetSource } from './fleet-source.js';
import { type Installation, planInstallation } from './installation.js';
import { endLeftovers, endPostgres } from './leftovers.js';
import { requirePorts } from './ports.js';
import { ensureSecrets } from './secrets.js';
import { Stack } from './stack.js';
import { welcome } from './welcome.js';

const STATUS_INTERVAL_MS = 1_000;
/** While services start the status follows sooner. */
const STARTING_INTERVAL_MS = 100;
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

async function takeFolder(folder: DataFolder): Promise<DirectoryLock> {
  try {
    return await lockDirectory(folder.run);
  } catch (cause) {
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      reason: 'CONFLICT',
      message: `SENTINEL runs already with the data folder ${folder.root}`,
      hint: 'Stop it with Ctrl-C where it was started, or give this one a folder of its own with --data DIR.',
      cause,
    });
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
  for (const warning of installation.warnings) display.say(`Note: ${warning}`);
  return await keepUp(options, folder, installation, display);
}

async function keepUp(
  options: SuperviseOptions,
  folder: DataFolder,
  installation: Installation,
  display: Display,
): Promise<number> {
  const source = new FleetSource(installation.endpoints);
  const wake = { now: (): void => undefined };
  const stack = new Stack(installation, folder, () => wake.now());
  const startedAt = performance.now();
  let welcomed = false;
  stack.start();
  options.force.addEventListener('abort', () => void stack.kill().then(() => process.exit(EXIT_INTERRUPTED)));
  while (!options.stop.aborted && stack.failed === undefined) {
    const allUp = stack.statuses.every(({ state }) => state === 'running');
    if (allUp && !welcomed) {
      welcomed = true;
      const seconds = (performance.now() - startedAt) / 1000;
      for (const line of welcome(installation, pgFolder(folder), folder, seconds, options.flags)) display.say(line);
    }
    const answer = welcomed ? await source.ask() : { fleet: null, problem: '' };
    if (options.stop.aborted) break;
    display.show({ processes: stack.statuses, ...answer, nowUs: BigInt(Date.now()) * 1000n });
    await nap(welcomed ? STATUS_INTERVAL_MS : STARTING_INTERVAL_MS, wake, options.stop);
  }
  source.close();
  const { failed } = stack;
  if (failed === undefined) display.say('Stopping …');
  await stack.stop();
  if (failed !== undefined) {
    options.err.write(`${failed.lastWords === '' ? `${failed.name} ${failed.lastEnd}` : failed.lastWords}\n`);
    return failed.exitStatus ?? EXIT.unavailable;
  }
  display.say('Stopped. Everything that was found is kept; npm start goes on with it.');
  return 0;
}

/** Until the time is over, something changed or a stop was asked for. */
function nap(ms: number, wake: { now: () => void }, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      wake.now = () => undefined;
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop.addEventListener('abort', done);
    wake.now = done;
  });
}

/** Where PostgreSQL's data really lies: as root it may be a link (the engine makes it). */
function pgFolder(folder: DataFolder): string {
  try {
    return realpathSync(folder.pg);
  } catch {
    return folder.pg;
  }
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
