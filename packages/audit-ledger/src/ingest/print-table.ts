/**
 * Numbers by a fingerprint of an event id: open addressing with linear probing, at most half full. A slot is four words, so that
 * a probe touches one line of memory.
 *
 *     slot = u32 fingerprint high | u32 fingerprint low | u32 (value + 1) high | u32 (value + 1) low; all 0 = free
 */
const SLOT_WORDS = 4;
const TWO_32 = 2 ** 32;

export class PrintTable {
  #count = 0;
  #words: Uint32Array;

  /** `expected`: values that it will take without growing. */
  constructor(expected: number) {
    this.#words = new Uint32Array(SLOT_WORDS * slotsFor(expected));
  }

  get count(): number {
    return this.#count;
  }

  has(eventId: Uint8Array): boolean {
    return this.#find(highOf(eventId), lowOf(eventId), this.#home(lowOf(eventId))) >= 0;
  }

  /** Values whose ids have the fingerprint of this one, in the order in which they were added. */
  values(eventId: Uint8Array): number[] {
    const [high, low] = [highOf(eventId), lowOf(eventId)];
    const found: number[] = [];
    for (let at = this.#find(high, low, this.#home(low)); at >= 0; at = this.#find(high, low, this.#after(at)))
      found.push((this.#words[at + 2] ?? 0) * TWO_32 + (this.#words[at + 3] ?? 0) - 1);
    return found;
  }

  /** `at`: where in `bytes` the id begins. */
  add(bytes: Uint8Array, value: number, at = 0): void {
    if (2 * SLOT_WORDS * (this.#count + 1) > this.#words.length) this.#grow();
    this.#insert(
      wordAt(bytes, at + HIGH_AT),
      wordAt(bytes, at + LOW_AT),
      Math.floor((value + 1) / TWO_32),
      (value + 1) % TWO_32,
    );
    this.#count += 1;
  }

  /** Offset of the first slot from `at` on that has the fingerprint; -1 where a free one comes first. */
  #find(high: number, low: number, from: number): number {
    const words = this.#words;
    for (let at = from; words[at + 2] !== 0 || words[at + 3] !== 0; at = this.#after(at))
      if (words[at] === high && words[at + 1] === low) return at;
    return -1;
  }

  #insert(high: number, low: number, valueHigh: number, valueLow: number): void {
    const words = this.#words;
    let at = this.#home(low);
    while (words[at + 2] !== 0 || words[at + 3] !== 0) at = this.#after(at);
    words[at] = high;
    words[at + 1] = low;
    words[at + 2] = valueHigh;
    words[at + 3] = valueLow;
  }

  #home(low: number): number {
    return (low * SLOT_WORDS) & (this.#words.length - 1);
  }

  #after(at: number): number {
    return (at + SLOT_WORDS) & (this.#words.length - 1);
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      const [valueHigh, valueLow] = [old[at + 2] ?? 0, old[at + 3] ?? 0];
      if (valueHigh !== 0 || valueLow !== 0) this.#insert(old[at] ?? 0, old[at + 1] ?? 0, valueHigh, valueLow);
    }
  }
}

function slotsFor(expected: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2 * expected, 2)));
}

/** Ids are UUIDs, so version and variant bits lie in bytes 6 and 8; these eight bytes avoid them. */
const HIGH_AT = 0;
const LOW_AT = 12;

function highOf(id: Uint8Array): number {
  return wordAt(id, HIGH_AT);
}

function lowOf(id: Uint8Array): number {
  return wordAt(id, LOW_AT);
}

function wordAt(id: Uint8Array, at: number): number {
  return (((id[at] ?? 0) << 24) | ((id[at + 1] ?? 0) << 16) | ((id[at + 2] ?? 0) << 8) | (id[at + 3] ?? 0)) >>> 0;
}
