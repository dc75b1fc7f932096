import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Restart delays double from the first to the last of these; a service that stayed up for STABLE_MS starts over. */
const FIRST_RESTART_MS = 250;
const LAST_RESTART_MS = 15_000;
const STABLE_MS = 30_000;
/** Newest lines of a service's output that are kept to explain its end. */
const TAIL_LINES = 20;
/** How long a service may take to drain before it is killed. */
const STOP_DEADLINE_MS = 10_000;
/** Exit status of a configuration error (sysexits.h EX_CONFIG): starting again would fail the same way. */
export const EXIT_CONFIGURATION = 78;

export interface ProcessSpec {
  readonly name: string;
  /** Program and arguments; started without a shell. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
}

export type ProcessState = 'starting' | 'running' | 'restarting' | 'stopped' | 'failed';

export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | null;
  readonly restarts: number;
  /** Why it ended last, in one sentence; empty while it never did. */
  readonly lastEnd: string;
}

/** Keeps one service running: restarts it with exponential backoff, never after a configuration error, and stops it in order. */
export class ManagedProcess {
  readonly #spec: ProcessSpec;
  readonly #onChange: (status: ProcessStatus) => void;
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #state: ProcessState = 'stopped';
  #restarts = 0;
  #lastEnd = '';
  #tail: string[] = [];
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: ProcessSpec, onChange: (status: ProcessStatus) => void) {
    this.#spec = spec;
    this.#onChange = onChange;
  }

  get status(): ProcessStatus {
    return {
      name: this.#spec.name,
      state: this.#state,
      pid: this.#child?.pid ?? null,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
    };
  }

  /** Newest output lines, oldest first. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  start(): void {
    this.#loop = this.#keepRunning();
  }

  /** SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child !== null) {
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      child.kill('SIGTERM');
      await this.#loop;
      clearTimeout(killer);
    } else {
      await this.#loop;
    }
  }

  async #keepRunning(): Promise<void> {
    let delayMs = FIRST_RESTART_MS;
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      const code = await this.#runOnce();
      if (this.#stopping.signal.aborted) break;
      if (code === EXIT_CONFIGURATION) return this.#become('failed');
      if (performance.now() - startedAt > STABLE_MS) delayMs = FIRST_RESTART_MS;
      this.#restarts += 1;
      this.#become('restarting');
      await delay(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, LAST_RESTART_MS);
    }
    this.#become('stopped');
  }

  #runOnce(): Promise<number | null> {
    const [program, ...args] = this.#spec.command;
    this.#become('starting');
    // A process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops services in order.
    const child = spawn(program, args, {
      cwd: this.#spec.cwd,
      env: this.#spec.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    this.#collectOutput(child);
    child.once('spawn', () => this.#become('running'));
    return new Promise((resolve) => {
      child.once('error', (error) => this.#ended(`could not be started: ${error.message}`, null, resolve));
      child.once('exit', (code, signal) => {
        this.#ended(signal === null ? `ended with status ${code}` : `was ended by ${signal}`, code, resolve);
      });
    });
  }

  #ended(how: string, code: number | null, resolve: (code: number | null) => void): void {
    this.#child = null;
    this.#lastEnd = how;
    resolve(code);
  }

  #collectOutput(child: ChildProcess): void {
    const log = createWriteStream(this.#spec.logFile, { flags: 'a' });
    // A log that cannot be written (disk full) must not take the service down with it.
    log.on('error', () => undefined);
    let partial = '';
    const take = (chunk: Buffer): void => {
      log.write(chunk);
      const lines = (partial + chunk.toString('utf8')).split('\n');
      partial = lines.pop() ?? '';
      this.#tail = [...this.#tail, ...lines].slice(-TAIL_LINES);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('close', () => log.end());
  }

  #become(state: ProcessState): void {
    this.#state = state;
    this.#onChange(this.status);
  }
}
