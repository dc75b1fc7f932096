import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.js';
import { type Tie, tie } from './tied.js';

/** How one kind of server is started, and how it shows that it takes requests. */
export interface ServerProgram {
  /** As errors name it. */
  readonly name: string;
  /** What its log says once it takes requests. */
  readonly started: string;
  readonly timeoutMs: number;
}

/** The process of a test's server: it may be killed, frozen and started again, and does not outlive its owner. */
export abstract class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  readonly #program: ServerProgram;
  #child: ChildProcess | null = null;
  #tie: Tie | null = null;

  constructor(folder: string, program: ServerProgram) {
    this.folder = folder;
    this.#program = program;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves once it takes requests. @throws Error with the server's last words */
  protected async launch(file: string, args: readonly string[]): Promise<void> {
    const log = openSync(this.#log, 'w');
    const child = spawn(file, args, { cwd: this.folder, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await once(child, 'spawn');
    child.unref();
    this.#child = child;
    this.#tie = tie({ pid: this.pid, folder: this.folder, signal: 'KILL' });
    await this.#answers(child);
  }

  /** Kills it with SIGKILL, also while it is paused; its folder stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    this.#tie?.drop();
    this.#tie = null;
    this.#child = null;
  }

  /** Stops it in its tracks (SIGSTOP), without a word to those connected, until `resume`. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #log(): string {
    return join(this.folder, 'server.log');
  }

  async #answers(child: ChildProcess): Promise<void> {
    const { name, started, timeoutMs } = this.#program;
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const said = (): string => readFileSync(this.#log, 'utf8');
    await eventually(() => ended() || said().includes(started), { what: `${name} answers`, timeoutMs, intervalMs: 10 });
    if (ended()) throw new Error(`${name} ended: ${said().slice(-2000)}`);
  }
}
