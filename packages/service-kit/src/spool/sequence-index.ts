import type { Position } from '../segment-log/index.js';
import type { EntryKind } from './entry.js';

/** Where a record is. */
export interface Slot extends Position {
  readonly kind: EntryKind;
}

const KINDS = ['passing', 'mismatch', 'gap', 'kept'] as const;
const KIND_CODES: Readonly<Record<EntryKind, number>> = { passing: 0, mismatch: 1, gap: 2, kept: 3 };
const OFFSETS = 2 ** 28;

/** Forgotten slots at the front that are kept before the array is moved down. */
const SLACK = 4_096;

/**
 * Position and kind of every record that the spool still owes, by sequence. A slot is one double, so that a million records cost
 * 8 MB.
 */
export class SequenceIndex {
  #slots: number[] = [];
  #head = 0;
  #first: bigint;
  readonly #perSegment = new Map<number, number>();
  readonly #perKind: Record<EntryKind, number> = { passing: 0, mismatch: 0, gap: 0, kept: 0 };

  /** @param first sequence that the next record will have */
  constructor(first: bigint) {
    this.#first = first;
  }

  /** Oldest sequence that is owed, or the next to come. */
  get first(): bigint {
    return this.#first;
  }

  get last(): bigint {
    return this.#first + BigInt(this.size) - 1n;
  }

  get size(): number {
    return this.#slots.length - this.#head;
  }

  count(kind: EntryKind): number {
    return this.#perKind[kind];
  }

  /** Oldest file that holds a record which is owed. */
  get oldestSegment(): number | undefined {
    return this.#perSegment.size === 0 ? undefined : Math.min(...this.#perSegment.keys());
  }

  append(slot: Slot): void {
    this.#slots.push(pack(slot));
    this.#tally(slot, 1);
  }

  at(sequence: bigint): Slot | undefined {
    const packed = this.#slots[this.#indexOf(sequence)];
    return packed === undefined || sequence < this.#first ? undefined : unpack(packed);
  }

  replace(sequence: bigint, slot: Slot): void {
    const before = this.at(sequence);
    if (before === undefined) return;
    this.#tally(before, -1);
    this.#slots[this.#indexOf(sequence)] = pack(slot);
    this.#tally(slot, 1);
  }

  forgetThrough(sequence: bigint): void {
    for (; this.size > 0 && this.#first <= sequence; this.#first += 1n) {
      this.#tally(unpack(this.#slots[this.#head] ?? 0), -1);
      this.#head += 1;
    }
    if (this.#head < SLACK && this.size > 0) return;
    this.#slots = this.#slots.slice(this.#head);
    this.#head = 0;
  }

  #indexOf(sequence: bigint): number {
    return this.#head + Number(sequence - this.#first);
  }

  #tally({ segment, kind }: Slot, by: 1 | -1): void {
    this.#perKind[kind] += by;
    const live = (this.#perSegment.get(segment) ?? 0) + by;
    if (live === 0) this.#perSegment.delete(segment);
    else this.#perSegment.set(segment, live);
  }
}

function pack({ segment, offset, kind }: Slot): number {
  return (segment * OFFSETS + offset) * KINDS.length + KIND_CODES[kind];
}

function unpack(packed: number): Slot {
  const place = Math.floor(packed / KINDS.length);
  return {
    segment: Math.floor(place / OFFSETS),
    offset: place % OFFSETS,
    kind: KINDS[packed % KINDS.length] ?? 'gap',
  };
}
