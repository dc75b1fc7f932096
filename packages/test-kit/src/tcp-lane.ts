import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A reader that takes nothing for so long is taken for dead. */
const READER_PATIENCE_MS = 60_000;

/** What one direction of a proxy does to bytes; every connection looks at it for every chunk. */
export class Lane {
  bytes = 0;
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Pending while nothing passes. */
  #gate: PromiseWithResolvers<void> | null = null;

  slow(delayMs: number, bytesPerSecond: number): void {
    this.#delayMs = delayMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  stall(): void {
    this.#gate ??= Promise.withResolvers();
  }

  pass(): void {
    this.slow(0, Number.POSITIVE_INFINITY);
    this.#gate?.resolve();
    this.#gate = null;
  }

  /** Copies chunk by chunk, the end too; a reader that is slow slows the writer. */
  async carry(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.bytes += chunk.length;
        await this.#hold(chunk.length);
        if (to.destroyed) break;
        if (!to.write(chunk)) await once(to, 'drain', { signal: AbortSignal.timeout(READER_PATIENCE_MS) });
      }
      await this.#open();
      to.end();
    } catch {
      await this.#open();
      to.destroy();
    }
  }

  async #hold(length: number): Promise<void> {
    const ms = this.#delayMs + (length / this.#bytesPerSecond) * 1000;
    if (ms > 0) await delay(ms);
    await this.#open();
  }

  async #open(): Promise<void> {
    while (this.#gate !== null) await this.#gate.promise;
  }
}
