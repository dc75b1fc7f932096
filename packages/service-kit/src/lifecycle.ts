import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from './config/problems.js';
import { EXIT, exitStatus, SentinelError } from './errors.js';
import { logLibraryOutput } from './library-output.js';
import type { Logger } from './logging.js';

/** A drain that takes longer is given up, unless the service says otherwise. */
const DRAIN_DEADLINE_MS = 8_000;
const EXIT_CRASHED = 70;
const EXIT_INTERRUPTED = 130;

/** A built service: nothing runs before `start`, nothing is left after `stop`. */
export interface Service {
  /**
   * Resolves once it serves, with what goes into the ready file.
   * @param stopping given when the process is to end: a start that waits for something then waits no more
   */
  start(stopping: AbortSignal): Promise<ReadyInfo>;
  /** Drains in order; called once. */
  stop(): Promise<void>;
  /** SIGHUP. */
  reload?(): Promise<void> | void;
}

/** Addresses (host:port) that are really listened on. */
export interface ReadyInfo {
  readonly grpc?: string;
  readonly http?: string;
  readonly metrics?: string;
  /** Where monitors of other replicas are answered. */
  readonly replicas?: string;
}

export interface RunOptions {
  readonly log: Logger;
  /** Where to write the ready file; empty = nowhere. */
  readonly readyFile: string;
  readonly drainDeadlineMs?: number;
}

/**
 * Runs a service until SIGTERM or SIGINT, or until `fatal` is called, then drains it and ends the process. A second signal ends it at once.
 * What nobody caught is logged and ends the process with status 70: a supervisor starts it again from durable state.
 */
export async function runService(
  build: (fatal: (error: unknown) => void) => Promise<Service> | Service,
  options: RunOptions,
): Promise<never> {
  const { log } = options;
  logLibraryOutput(log);
  const ended = Promise.withResolvers<number>();
  const fatal = (error: unknown): void => {
    const known = SentinelError.from(error);
    log.fatal({ err: error }, known.sentence);
    ended.resolve(EXIT_CRASHED);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    let came = false;
    // A listener that stays: where none is left for a moment, a second signal ends the process in its own way.
    process.on(signal, () => {
      if (came) process.exit(EXIT_INTERRUPTED);
      came = true;
      log.info({ signal }, 'stopping');
      ended.resolve(0);
    });
  }

  const stopping = new AbortController();
  void ended.promise.then(() => stopping.abort());

  let service: Service | null = null;
  try {
    service = await build(fatal);
    reloadOnSignal(service, log);
    const ready = await Promise.race([service.start(stopping.signal), givenUp(ended.promise)]);
    if (ready !== null) announce(ready, options);
  } catch (error) {
    if (!stopping.signal.aborted) ended.resolve(reportFailedStart(error, log));
  }
  const status = await ended.promise;
  await drain(service, options);
  process.exit(status);
}

/** A start that a signal or an error overtakes is left time to finish, so that what it has begun can be stopped; then no longer. */
async function givenUp(ended: Promise<unknown>): Promise<null> {
  await ended;
  await delay(DRAIN_DEADLINE_MS, undefined, { ref: false });
  return null;
}

/** Also while it starts, which may take as long as what it waits for. */
function reloadOnSignal(service: Service, log: Logger): void {
  process.on('SIGHUP', () => {
    Promise.resolve()
      .then(() => service.reload?.())
      .catch((error: unknown) =>
        log.error({ err: error }, `not reloaded, what runs goes on as before: ${SentinelError.from(error).sentence}`),
      );
  });
}

function announce(ready: ReadyInfo, { log, readyFile }: RunOptions): void {
  if (readyFile !== '') writeReadyFile(readyFile, ready);
  log.info(ready, 'ready');
}

/**
 * @returns 78 for what only a change of the configuration mends, so that a supervisor need not try again; 70 for what nobody foresaw
 */
function reportFailedStart(error: unknown, log: Logger): number {
  if (error instanceof ConfigError) {
    log.fatal(error.message);
    return error.exitCode;
  }
  const known = SentinelError.from(error);
  log.fatal({ err: known.code === 'INTERNAL' ? error : undefined, field: known.field || undefined }, known.sentence);
  if (known.code === 'INTERNAL') return EXIT_CRASHED;
  const settingIsWrong = ['FAILED_PRECONDITION', 'INVALID_ARGUMENT'].includes(known.code) && known.field !== '';
  return settingIsWrong ? EXIT.configuration : exitStatus(known);
}

async function drain(service: Service | null, { log, drainDeadlineMs = DRAIN_DEADLINE_MS }: RunOptions): Promise<void> {
  if (service === null) return;
  const deadline = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => deadline.resolve('late'), drainDeadlineMs);
  try {
    const end = await Promise.race([service.stop(), deadline.promise]);
    if (end === 'late') log.warn('drain took too long and was given up; unacknowledged work is resent by its sender');
    else log.info('stopped');
  } catch (error) {
    log.error({ err: error }, 'drain failed');
  } finally {
    clearTimeout(timer);
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
function writeReadyFile(file: string, ready: ReadyInfo): void {
  const temporary = `${file}.${process.pid}.tmp`;
  const fd = openSync(temporary, 'w', 0o644);
  try {
    writeSync(fd, `${JSON.stringify({ pid: process.pid, ...ready })}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}

/** Stops what was started, newest first, and all of it even when one fails. */
export class StopStack {
  readonly #steps: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];

  push(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop });
  }

  /** @throws AggregateError of what failed, after everything was tried */
  async stop(): Promise<void> {
    const failures: Error[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.stop();
      } catch (cause) {
        failures.push(new Error(`stopping ${step.name}`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map((failure) => failure.message).join(', '));
  }
}
