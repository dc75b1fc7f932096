/** Samples that wait for the analyser. */
export const MAX_WAITING = 512;
/** Together on the wire. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;

interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
}

/** What waits to be sent; beyond its bounds the oldest give way and are counted. */
export class SampleQueue<Item> {
  readonly #waiting: Waiting<Item>[] = [];
  readonly #onDropped: (records: number) => void;
  #bytes = 0;

  constructor(onDropped: (records: number) => void) {
    this.#onDropped = onDropped;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** @param bytes of it on the wire */
  push(item: Item, bytes: number): void {
    this.#waiting.push({ item, bytes });
    this.#bytes += bytes;
    while (this.#waiting.length > MAX_WAITING || this.#bytes > MAX_WAITING_BYTES) {
      this.take();
      this.#onDropped(1);
    }
  }

  take(): Item | undefined {
    const first = this.#waiting.shift();
    this.#bytes -= first?.bytes ?? 0;
    return first?.item;
  }
}
