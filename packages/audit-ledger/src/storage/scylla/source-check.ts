/** What a verification saw of the keys of rows: a hash is of the epoch that committed its last entry, and of no other. */
import { TILE_WIDTH } from '../../tiles/path.js';
import type { SourceFault } from '../../verify/source.js';
import type { RowKey } from './log-rows.js';

export class SourceCheck {
  readonly #faults: SourceFault[] = [];
  /** Epoch of each entry of bundles whose hashes were not seen yet, and the other way round. */
  readonly #entries = new Map<number, readonly (number | undefined)[]>();
  readonly #hashes = new Map<number, readonly (number | undefined)[]>();
  /** Epoch of the last entry of each full bundle. */
  readonly #last: (number | undefined)[] = [];
  readonly #upper: { readonly level: number; readonly index: number; readonly epoch: number }[] = [];

  add(faults: readonly SourceFault[]): void {
    this.#faults.push(...faults);
  }

  /** Rows that the entries of a bundle came from. */
  entries(index: number, rows: readonly (RowKey | undefined)[]): void {
    if (rows.length === TILE_WIDTH) this.#last[index] = rows.at(-1)?.epoch;
    this.#entries.set(
      index,
      rows.map((row) => row?.epoch),
    );
    this.#compare(index);
  }

  /** Rows that the hashes of a level came from, the first of which has the index `from`. */
  hashes(level: number, from: number, rows: readonly (RowKey | undefined)[]): void {
    if (level > 0) {
      for (const [i, row] of rows.entries())
        if (row !== undefined) this.#upper.push({ level, index: from + i, epoch: row.epoch });
      return;
    }
    const index = from / TILE_WIDTH;
    this.#hashes.set(
      index,
      rows.map((row) => row?.epoch),
    );
    this.#compare(index);
  }

  faults(): readonly SourceFault[] {
    return [...this.#faults, ...this.#upperFaults()];
  }

  #compare(index: number): void {
    const [entries, hashes] = [this.#entries.get(index), this.#hashes.get(index)];
    if (entries === undefined || hashes === undefined) return;
    this.#entries.delete(index);
    this.#hashes.delete(index);
    const seqs = entries.flatMap((epoch, i) => {
      const other = hashes[i];
      return epoch !== undefined && other !== undefined && epoch !== other ? [index * TILE_WIDTH + i] : [];
    });
    const [first, last] = [seqs[0], seqs.at(-1)];
    if (first !== undefined && last !== undefined)
      this.#faults.push({ first, last, what: 'its row of hashes is of another epoch' });
  }

  #upperFaults(): SourceFault[] {
    return this.#upper.flatMap(({ level, index, epoch }) => {
      const span = TILE_WIDTH ** level;
      const [first, last] = [index * span, (index + 1) * span - 1];
      const committed = this.#last[Math.floor(last / TILE_WIDTH)];
      if (committed === undefined || committed === epoch) return [];
      return [{ first, last, what: `row of hashes of level ${level} is of another epoch than entry ${last}` }];
    });
  }
}
