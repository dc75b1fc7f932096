import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReadyInfo } from '@sentinel/service-kit/lifecycle';
import { until } from './until.js';

/** Other work on the machine makes a start slow. */
const READY_TIMEOUT_MS = 90_000;
/** A service that has not drained by then, several times its own limit, is killed, and the test told so. */
const STOP_TIMEOUT_MS = 40_000;
/** Pause before a killed service is started again, as a supervisor makes it. */
const RESTART_DELAY_MS = 100;
/** Newest log lines kept; older ones are dropped. */
const MAX_LINES = 50_000;

export interface ServiceSpec {
  readonly name: string;
  /** Program file run under this Node. */
  readonly bin: string;
  readonly args: readonly string[];
  readonly readyFile: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** One line of a service's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Processes that must not outlive the one that started them. */
const ALIVE = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of ALIVE) child.kill('SIGKILL');
});

/** A real service process: started, killed and kept up by a test. */
export class Service {
  readonly spec: ServiceSpec;
  /** Lines of all its lives, oldest first. */
  readonly lines: LogLine[] = [];
  /** What it wrote that was no JSON: a stack trace or a configuration error. */
  text = '';
  restarts = 0;
  #child: ChildProcess | null = null;
  #ended: Promise<Ended> = Promise.resolve({ code: null, signal: null });
  #keepUp = false;

  constructor(spec: ServiceSpec) {
    this.spec = spec;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts it and waits until it serves. @throws Error with its last output when it ends before */
  async start(): Promise<ReadyInfo> {
    this.launch();
    return this.ready();
  }

  /** Starts it without waiting. */
  launch(): void {
    rmSync(this.spec.readyFile, { force: true });
    const args = ['--enable-source-maps', this.spec.bin, ...this.spec.args, '--ready-file', this.spec.readyFile];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...this.spec.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    ALIVE.add(child);
    this.#collect(child);
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = null;
        ALIVE.delete(child);
        resolve({ code, signal });
        if (this.#keepUp) void this.#restart();
      });
    });
  }

  /** Waits until the process that runs now serves. @throws Error with its last output when it ends before */
  async ready(): Promise<ReadyInfo> {
    const { name } = this.spec;
    const found = await until(`${name} ready`, READY_TIMEOUT_MS, () => {
      const hasEnded = this.#child === null && !this.#keepUp;
      return this.#readyFile() ?? (hasEnded ? ('ended' as const) : null);
    });
    if (found === 'ended') throw new Error(`${name} ended: ${this.tail()}`);
    return found;
  }

  #readyFile(): (ReadyInfo & { readonly pid: number }) | null {
    try {
      const ready = JSON.parse(readFileSync(this.spec.readyFile, 'utf8')) as ReadyInfo & { pid: number };
      return ready.pid === this.pid ? ready : null;
    } catch {
      return null;
    }
  }

  /** From now on it is started again whenever it ends. */
  keepUp(): void {
    this.#keepUp = true;
  }

  async #restart(): Promise<void> {
    this.restarts += 1;
    await delay(RESTART_DELAY_MS);
    if (this.#keepUp && this.#child === null) this.launch();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** SIGKILL for good: it is not started again. */
  end(): Promise<void> {
    this.#keepUp = false;
    return this.kill();
  }

  /** SIGTERM; resolves with how it ended. @throws Error when it had to be killed */
  async stop(): Promise<Ended> {
    this.#keepUp = false;
    if (this.#child === null) return this.#ended;
    this.#child.kill('SIGTERM');
    const late = delay(STOP_TIMEOUT_MS, 'late' as const, { ref: false });
    const end = await Promise.race([this.#ended, late]);
    if (end !== 'late') return end;
    await this.kill();
    throw new Error(`${this.spec.name} did not stop within ${STOP_TIMEOUT_MS} ms: ${this.tail()}`);
  }

  /** How the process that runs now ends. */
  ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Waits for a log line, also one already written after `from`. */
  line(what: string, timeoutMs: number, match: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    return until(`${this.spec.name} logs ${what}`, timeoutMs, () => this.lines.slice(from).find(match));
  }

  tail(): string {
    return [...this.lines.slice(-8).map((line) => JSON.stringify(line)), this.text.slice(-2000)].join('\n');
  }

  #collect(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      let partial = '';
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (partial + chunk).split('\n');
        partial = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
      });
    }
  }

  #take(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as LogLine);
      if (this.lines.length > MAX_LINES) this.lines.shift();
    } catch {
      this.text += `${line}\n`;
    }
  }
}
