import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT } from '@sentinel/service-kit/errors';
import { lastWords, type ServiceLog } from './service-log.js';

/** Restart delays double from the first to the last of these; a service that stayed up for STABLE_MS starts over. */
const FIRST_RESTART_MS = 250;
const LAST_RESTART_MS = 15_000;
const STABLE_MS = 30_000;
/** Newest lines of a service's output that may explain its end. */
const TAIL_LINES = 20;
/** How long a service may take to drain before it is killed. */
const STOP_DEADLINE_MS = 10_000;
/** Starting again would fail the same way: the command line or the configuration is wrong. */
const FINAL: ReadonlySet<number | null> = new Set([EXIT.usage, EXIT.configuration]);

export interface ProcessSpec {
  readonly name: string;
  /** Program and arguments; started without a shell. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export type ProcessState = 'starting' | 'running' | 'restarting' | 'stopped' | 'failed';

export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly restarts: number;
  /** Why it ended last, in one sentence; empty while it never did. */
  readonly lastEnd: string;
  /** Exit status of its last end; null = none, or a signal. */
  readonly exitStatus: number | null;
  /** What it said last before it ended; empty = nothing. */
  readonly lastWords: string;
}

/** Keeps one service running: restarts it with exponential backoff, but never after a usage or configuration error. */
export class ManagedProcess {
  readonly #spec: ProcessSpec;
  readonly #log: ServiceLog;
  readonly #onChange: (status: ProcessStatus) => void;
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #state: ProcessState = 'stopped';
  #restarts = 0;
  #lastEnd = '';
  #exitStatus: number | null = null;
  #lastWords = '';
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: ProcessSpec, log: ServiceLog, onChange: (status: ProcessStatus) => void) {
    this.#spec = spec;
    this.#log = log;
    this.#onChange = onChange;
  }

  get status(): ProcessStatus {
    return {
      name: this.#spec.name,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
      exitStatus: this.#exitStatus,
      lastWords: this.#lastWords,
    };
  }

  start(): void {
    this.#loop = this.#keepRunning();
  }

  /** It serves: said by whoever sees its ready file. */
  ready(): void {
    if (this.#state === 'starting') this.#become('running');
  }

  /** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
    const killer = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
    await this.#loop;
    clearTimeout(killer);
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async #keepRunning(): Promise<void> {
    let delayMs = FIRST_RESTART_MS;
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      await this.#runOnce();
      if (this.#stopping.signal.aborted) break;
      if (FINAL.has(this.#exitStatus)) return this.#become('failed');
      if (performance.now() - startedAt > STABLE_MS) delayMs = FIRST_RESTART_MS;
      this.#restarts += 1;
      this.#become('restarting');
      await delay(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, LAST_RESTART_MS);
    }
    this.#become('stopped');
  }

  async #runOnce(): Promise<void> {
    const [program, ...args] = this.#spec.command;
    const { cwd, env } = this.#spec;
    const output = this.#log.open();
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops services in order.
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    this.#child = child;
    this.#become('starting');
    await new Promise<void>((resolve) => {
      child.once('error', (error) => resolve(this.#ended(`could not be started: ${error.message}`, null, null)));
      child.once('exit', (code, signal) => {
        const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
        resolve(this.#ended(how, code, signal));
      });
    });
  }

  #ended(how: string, exitStatus: number | null, signal: NodeJS.Signals | null): void {
    this.#child = null;
    this.#lastEnd = how;
    this.#exitStatus = exitStatus;
    // Who is killed has no time to say why: its last error was about something else.
    this.#lastWords = signal === 'SIGKILL' ? '' : lastWords(this.#log.tail(TAIL_LINES));
  }

  #become(state: ProcessState): void {
    this.#state = state;
    this.#onChange(this.status);
  }
}
