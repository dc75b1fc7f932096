/** Wakes those who wait for rows that were committed. */
export class News {
  #next = Promise.withResolvers<void>();

  /** Resolves with the next row; ask before looking, so that none is missed between. */
  get next(): Promise<void> {
    return this.#next.promise;
  }

  added(rows: number): void {
    if (rows === 0) return;
    const told = this.#next;
    this.#next = Promise.withResolvers<void>();
    told.resolve();
  }
}
