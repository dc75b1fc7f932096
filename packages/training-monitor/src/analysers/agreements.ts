/** Comparisons in which a rank must have agreed with others before a difference speaks against its device. */
export const MIN_AGREED = 2;

/** Of one run: how often each rank agreed with others since it last did not. */
export class Agreements {
  readonly #agreed = new Map<number, number>();
  readonly #lost = new Set<number>();
  /** Since the run began, whatever came between. */
  readonly #total = new Map<number, number>();

  /** Comparisons in which all of these agreed since their last mismatch, or since the run began. */
  before(ranks: readonly number[]): number {
    return ranks.length === 0 ? 0 : Math.min(...ranks.map((rank) => this.#agreed.get(rank) ?? 0));
  }

  /** Was this rank seen to compute what others compute? Other hardware or software never does. */
  isKnown(rank: number): boolean {
    return (this.#total.get(rank) ?? 0) >= MIN_AGREED;
  }

  lost(rank: number): void {
    this.#agreed.set(rank, 0);
    this.#lost.add(rank);
  }

  /** True where that is worth telling: of a rank that lost before, after 1, 10, 100, … comparisons. */
  agreed(rank: number): boolean {
    const count = this.before([rank]) + 1;
    this.#agreed.set(rank, count);
    this.#total.set(rank, (this.#total.get(rank) ?? 0) + 1);
    return this.#lost.has(rank) && Number.isInteger(Math.log10(count));
  }
}
