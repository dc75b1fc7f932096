import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A reader that takes nothing for so long is taken for dead. */
const READER_PATIENCE_MS = 60_000;

/** Shut, nothing passes. */
export class Gate {
  #shut: PromiseWithResolvers<void> | null = null;

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = null;
  }

  async passed(): Promise<void> {
    while (this.#shut !== null) await this.#shut.promise;
  }
}

/** What one direction of a proxy does to bytes; every connection looks at it for every chunk. */
export class Lane {
  bytes = 0;
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  readonly #gate = new Gate();

  slow(delayMs: number, bytesPerSecond: number): void {
    this.#delayMs = delayMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  stall(): void {
    this.#gate.shut();
  }

  pass(): void {
    this.slow(0, Number.POSITIVE_INFINITY);
    this.#gate.open();
  }

  /**
   * Copies chunk by chunk, the end too; a reader that is slow slows the writer.
   * @param own gate of this connection alone
   */
  async carry(from: Socket, to: Socket, own: Gate): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.bytes += chunk.length;
        await this.#hold(chunk.length, own);
        if (to.destroyed) break;
        if (!to.write(chunk)) await once(to, 'drain', { signal: AbortSignal.timeout(READER_PATIENCE_MS) });
      }
      await this.#open(own);
      to.end();
    } catch {
      await this.#open(own);
      to.destroy();
    }
  }

  async #hold(length: number, own: Gate): Promise<void> {
    const ms = this.#delayMs + (length / this.#bytesPerSecond) * 1000;
    if (ms > 0) await delay(ms);
    await this.#open(own);
  }

  async #open(own: Gate): Promise<void> {
    await own.passed();
    await this.#gate.passed();
  }
}
