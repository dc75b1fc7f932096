import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from './paths.js';
import type { Ended } from './service.js';
import { until } from './until.js';

const END_MS = 60_000;

/** `npm start -- …` as a process group of its own, as a terminal makes it. */
export class Start {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #seen = 0;

  /** @param root the clone that is started */
  constructor(args: readonly string[], root = ROOT) {
    this.#child = spawn(process.execPath, [join(root, 'scripts/start.mjs'), ...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits for words that were not waited for before. @throws Error with all that it said */
  async says(words: RegExp, timeoutMs: number): Promise<void> {
    const found = (): boolean => {
      const at = this.output.slice(this.#seen).search(words);
      if (at >= 0) this.#seen += at + 1;
      return at >= 0 || this.#child.exitCode !== null;
    };
    const seen = this.#seen;
    await until(`npm start says ${words}`, timeoutMs, found).catch(() => undefined);
    if (this.#seen === seen) throw new Error(`npm start does not say ${words}:\n${this.output}`);
  }

  /** Ctrl-C. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** @throws Error when it does not end in time */
  async ended(): Promise<Ended> {
    const end = await Promise.race([this.#ended, delay(END_MS, null, { ref: false })]);
    if (end === null) throw new Error(`npm start does not end: ${this.output}`);
    return end;
  }

  /** However it stands, it is over after this. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.interrupt();
    await this.ended().catch(() => this.#child.kill('SIGKILL'));
  }
}
