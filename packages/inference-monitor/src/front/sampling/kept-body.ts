/** The body of an answer that passes and is looked at once it is whole. Of one that is too large nothing is kept. */
export class KeptBody {
  readonly #most: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most;
  }

  get isTooLarge(): boolean {
    return this.#bytes > this.#most;
  }

  /** Bytes that are held. */
  get held(): number {
    return this.isTooLarge ? 0 : this.#bytes;
  }

  push(data: Buffer): void {
    this.#bytes += data.length;
    if (this.isTooLarge) this.#parts = [];
    else this.#parts.push(data);
  }

  /** All that has come. */
  get whole(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
