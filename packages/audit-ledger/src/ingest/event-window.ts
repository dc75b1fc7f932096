/**
 * Which recent entry carries an event id. Bounded: `GENERATIONS` tables of at most `GENERATION_ENTRIES` ids each, the
 * oldest table being dropped when the newest is full, so the newest 1.5 to 2 million entries are known in at most 64 MiB.
 * Below 2.5 entries a second that is the promised 7 days; above it, producers' high-water marks catch later retries.
 */
export const GENERATIONS = 4;
export const GENERATION_ENTRIES = 2 ** 19;
const INITIAL_SLOTS = 2 ** 10;

export class EventWindow {
  readonly #limit: number;
  #generations: Generation[] = [new Generation()];

  constructor(generationEntries = GENERATION_ENTRIES) {
    this.#limit = generationEntries;
  }

  /** Seqs, newest first, whose event id begins with the same 8 bytes; the caller compares the whole id with the store. */
  candidates(eventId: Uint8Array): number[] {
    const [high, low] = [word(eventId, HIGH_AT), word(eventId, LOW_AT)];
    return this.#generations.flatMap((generation) => generation.find(high, low).reverse());
  }

  /** Whether there are candidates. */
  mayHold(eventId: Uint8Array): boolean {
    const [high, low] = [word(eventId, HIGH_AT), word(eventId, LOW_AT)];
    return this.#generations.some((generation) => generation.has(high, low));
  }

  add(eventId: Uint8Array, seq: number): void {
    let newest = this.#generations[0];
    if (newest === undefined || newest.count >= this.#limit) {
      newest = new Generation();
      this.#generations = [newest, ...this.#generations].slice(0, GENERATIONS);
    }
    const [high, low] = [word(eventId, HIGH_AT), word(eventId, LOW_AT)];
    newest.add(high, low, seq);
  }
}

/** Open addressing with linear probing, at most half full. seq + 1 is stored, so 0 marks a free slot. */
class Generation {
  count = 0;
  #prints = new Uint32Array(2 * INITIAL_SLOTS);
  #seqs = new Float64Array(INITIAL_SLOTS);

  has(high: number, low: number): boolean {
    const [prints, seqs] = [this.#prints, this.#seqs];
    const mask = seqs.length - 1;
    for (let slot = low & mask; seqs[slot] !== 0; slot = (slot + 1) & mask)
      if (prints[2 * slot] === high && prints[2 * slot + 1] === low) return true;
    return false;
  }

  find(high: number, low: number): number[] {
    const found: number[] = [];
    const mask = this.#seqs.length - 1;
    for (let slot = low & mask; this.#seqs[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#prints[2 * slot] === high && this.#prints[2 * slot + 1] === low)
        found.push((this.#seqs[slot] ?? 0) - 1);
    }
    return found;
  }

  add(high: number, low: number, seq: number): void {
    if (2 * (this.count + 1) > this.#seqs.length) this.#grow();
    this.#insert(high, low, seq + 1);
    this.count += 1;
  }

  #insert(high: number, low: number, stored: number): void {
    const mask = this.#seqs.length - 1;
    let slot = low & mask;
    while (this.#seqs[slot] !== 0) slot = (slot + 1) & mask;
    this.#prints[2 * slot] = high;
    this.#prints[2 * slot + 1] = low;
    this.#seqs[slot] = stored;
  }

  #grow(): void {
    const [prints, seqs] = [this.#prints, this.#seqs];
    this.#prints = new Uint32Array(2 * prints.length);
    this.#seqs = new Float64Array(2 * seqs.length);
    seqs.forEach((stored, slot) => {
      if (stored !== 0) this.#insert(prints[2 * slot] ?? 0, prints[2 * slot + 1] ?? 0, stored);
    });
  }
}

/** Ids are UUIDs, so version and variant bits lie in bytes 6 and 8; these eight bytes avoid them. */
const HIGH_AT = 0;
const LOW_AT = 12;

function word(id: Uint8Array, at: number): number {
  return (((id[at] ?? 0) << 24) | ((id[at + 1] ?? 0) << 16) | ((id[at + 2] ?? 0) << 8) | (id[at + 3] ?? 0)) >>> 0;
}
