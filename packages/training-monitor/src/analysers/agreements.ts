/** Of one run: how often each rank agreed with others since it last did not. */
export class Agreements {
  readonly #agreed = new Map<number, number>();
  readonly #lost = new Set<number>();

  /** Comparisons in which all of these agreed since their last mismatch, or since the run began. */
  before(ranks: readonly number[]): number {
    return ranks.length === 0 ? 0 : Math.min(...ranks.map((rank) => this.#agreed.get(rank) ?? 0));
  }

  lost(rank: number): void {
    this.#agreed.set(rank, 0);
    this.#lost.add(rank);
  }

  /** True where that is worth telling: of a rank that lost before, after 1, 10, 100, … comparisons. */
  agreed(rank: number): boolean {
    const count = this.before([rank]) + 1;
    this.#agreed.set(rank, count);
    return this.#lost.has(rank) && Number.isInteger(Math.log10(count));
  }
}
