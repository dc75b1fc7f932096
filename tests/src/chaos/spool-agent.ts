import { setTimeout as delay } from 'node:timers/promises';
import { TestAgent } from '@sentinel/correlation-engine/testing';
import { load } from './load.js';

const AGAIN_MS = 100;
const LOOK_MS = 20;
/** Nothing is acknowledged for so long: another door. */
const PATIENCE_MS = 4_000;
/** Nobody answers the hello for so long: another door. */
const SILENT_MS = 10_000;
/** Records on their way at once, as the engine's own window has it. */
const WINDOW = 256n;

export interface SpoolAgentOptions {
  readonly seed: number;
  readonly index: number;
  /** Address for the next connection. */
  readonly door: () => string;
  /** Added to the clock of this machine, milliseconds. */
  readonly skewMs: () => number;
  /** An agent whose records it has, and whose name. */
  readonly continues?: TestAgent;
  /** By default that of every test. */
  readonly fleetKey?: string;
}

/**
 * An agent whose spool is its promise: it sends again until both parts are acknowledged, and what is archived it has no more. So an
 * engine that forgets something finds a gap, and what it takes back is written down.
 */
export class SpoolAgent {
  readonly agent: TestAgent;
  /** What an engine said to have, and later not to have. */
  readonly takenBack = new Set<string>();
  connections = 0;
  readonly #options: SpoolAgentOptions;
  #committed = 0n;
  #archived = 0n;
  #filled = false;

  constructor(options: SpoolAgentOptions) {
    this.#options = options;
    const clock = (): number => Date.now() + options.skewMs();
    const { continues, fleetKey } = options;
    const spool = continues === undefined ? {} : { spoolId: continues.spoolId };
    const key = fleetKey === undefined ? {} : { fleetKey };
    this.agent = new TestAgent('', { node: `agent-${options.index}`, clock, ...spool, ...key });
    this.agent.payloads.push(...(continues?.payloads ?? []));
  }

  get records(): number {
    return this.agent.payloads.length;
  }

  get delivered(): boolean {
    return this.#filled && this.#archived >= BigInt(this.records);
  }

  /** Acknowledgements so far, of both parts. */
  get acknowledged(): bigint {
    return this.#committed + this.#archived;
  }

  get progress(): string {
    return `${this.agent.node}: ${this.records} records, ${this.#committed} committed, ${this.#archived} archived, ${this.connections} connections, last error: ${this.agent.error?.sentence ?? 'none'}`;
  }

  /** Records so many batches. */
  record(count = 1): void {
    const { seed, index } = this.#options;
    for (let i = 0; i < count; i += 1) this.agent.batch(load(seed, index, this.records + 1));
  }

  /** Records no more. */
  fill(): void {
    this.#filled = true;
  }

  /** Until all is delivered that it will ever record, or `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    while (!this.delivered && !signal.aborted) {
      try {
        this.connections += 1;
        await this.agent.connect(this.#options.door(), SILENT_MS);
        this.#heard();
        await this.#stream(signal);
      } catch {
        // Whatever it was: the records are here, and there are other doors.
      }
      await delay(AGAIN_MS);
    }
    this.agent.close();
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const { agent } = this;
    let next = this.#archived + 1n;
    let movedAt = performance.now();
    while (agent.error === null && !this.delivered && !signal.aborted) {
      const before = this.acknowledged;
      this.#heard();
      const waits = this.#archived < BigInt(this.records);
      if (!waits || this.acknowledged > before) movedAt = performance.now();
      if (performance.now() - movedAt > PATIENCE_MS) return;
      for (; next <= BigInt(this.records) && next - this.#archived <= WINDOW; next += 1n) agent.sendAll(next);
      await delay(LOOK_MS);
    }
  }

  /** An engine says what it has: never less than was said before. */
  #heard(): void {
    const { committedThrough, archivedThrough } = this.agent.ack;
    if (committedThrough < this.#committed) this.#note('committed', committedThrough, this.#committed);
    if (archivedThrough < this.#archived) this.#note('archived', archivedThrough, this.#archived);
    if (committedThrough > this.#committed) this.#committed = committedThrough;
    if (archivedThrough > this.#archived) this.#archived = archivedThrough;
  }

  #note(part: string, now: bigint, before: bigint): void {
    this.takenBack.add(`${this.agent.node}: ${part} through ${before}, and later only through ${now}`);
  }
}
