import { sizeOf } from '../memory.js';
import { HOLD_MS } from '../sampling/plan.js';

/** A drawn request that is coming: kept until it is whole, or slow. */
export class Held {
  readonly #parts: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(onSlow: () => void) {
    this.#timer = setTimeout(onSlow, HOLD_MS);
  }

  get bytes(): number {
    return sizeOf(this.#parts);
  }

  push(bytes: Buffer): void {
    this.#parts.push(bytes);
  }

  /** All that came; it is no longer waited for. */
  end(): Buffer {
    clearTimeout(this.#timer);
    return Buffer.concat(this.#parts);
  }
}
