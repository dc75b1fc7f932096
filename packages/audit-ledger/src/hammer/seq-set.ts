/** Sequence numbers seen, a bit each. */

const PAGE_BITS = 2 ** 16;

export class SeqSet {
  readonly #pages = new Map<number, Uint8Array>();

  /** False where it was there. */
  add(seq: number): boolean {
    const number = Math.floor(seq / PAGE_BITS);
    const page = this.#pages.get(number) ?? this.#newPage(number);
    const [at, bit] = [(seq % PAGE_BITS) >> 3, 1 << (seq & 7)];
    const byte = page[at] ?? 0;
    page[at] = byte | bit;
    return (byte & bit) === 0;
  }

  #newPage(number: number): Uint8Array {
    const page = new Uint8Array(PAGE_BITS / 8);
    this.#pages.set(number, page);
    return page;
  }
}
