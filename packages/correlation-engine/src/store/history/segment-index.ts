import type { HistoryHeader } from './history-record.js';

/** What a finished segment's index file holds, as JSON. */
export interface IndexFile {
  /** Commit times of the first and last record. */
  readonly firstUs: number;
  readonly lastUs: number;
  /** Archived high-water marks of every spool as of the end of this segment, those of older segments included. */
  readonly spools: readonly (readonly [node: string, spoolId: string, sequence: number])[];
  /** Offsets of the records that concern a device, ascending. */
  readonly devices: Readonly<Record<string, readonly number[]>>;
}

/** The index of one segment of history while it grows. */
export class SegmentIndex {
  readonly segment: number;
  #firstUs = Number.POSITIVE_INFINITY;
  #lastUs = 0;
  readonly #devices = new Map<string, number[]>();

  constructor(segment: number) {
    this.segment = segment;
  }

  get firstUs(): number {
    return this.#firstUs;
  }

  get lastUs(): number {
    return this.#lastUs;
  }

  add(header: HistoryHeader, offset: number): void {
    this.#firstUs = Math.min(this.#firstUs, header.nowUs);
    this.#lastUs = Math.max(this.#lastUs, header.nowUs);
    for (const device of header.devices) {
      const offsets = this.#devices.get(device);
      if (offsets === undefined) this.#devices.set(device, [offset]);
      else offsets.push(offset);
    }
  }

  offsetsOf(device: string): readonly number[] {
    return this.#devices.get(device) ?? [];
  }

  toFile(spools: IndexFile['spools']): IndexFile {
    return { firstUs: this.#firstUs, lastUs: this.#lastUs, spools, devices: Object.fromEntries(this.#devices) };
  }
}

/** Highest archived sequence by spool. */
export class HighWater {
  readonly #marks = new Map<string, readonly [string, string, number]>();

  /** null = never heard of. */
  of(node: string, spoolId: string): number | null {
    return this.#marks.get(spoolId + node)?.[2] ?? null;
  }

  forget(node: string, spoolId: string): void {
    this.#marks.delete(spoolId + node);
  }

  raise(node: string, spoolId: string, sequence: number): void {
    if (sequence > (this.of(node, spoolId) ?? 0)) this.#marks.set(spoolId + node, [node, spoolId, sequence]);
  }

  list(): IndexFile['spools'] {
    return [...this.#marks.values()];
  }
}
