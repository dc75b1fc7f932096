/** Entries in each file of the log, those that count no more included: tells how much of the space is in vain. */
export class FileTally {
  readonly #entries = new Map<number, number>();
  #total = 0;

  /** The oldest file that has an entry. */
  get oldest(): number | undefined {
    const [first] = this.#entries.keys();
    return first;
  }

  /** Files come in ascending order. */
  add(segment: number): void {
    this.#entries.set(segment, (this.#entries.get(segment) ?? 0) + 1);
    this.#total += 1;
  }

  dropBefore(segment: number): void {
    for (const [file, entries] of this.#entries) {
      if (file >= segment) return;
      this.#entries.delete(file);
      this.#total -= entries;
    }
  }

  /** Share of the entries that is not among the `live` ones. */
  shareInVain(live: number): number {
    return this.#total === 0 ? 0 : (this.#total - live) / this.#total;
  }
}
