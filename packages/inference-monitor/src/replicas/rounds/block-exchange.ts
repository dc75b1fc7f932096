import type { BlockMean } from '../../analysers/cohort-chart.js';
import type { Peers } from '../talk/peers.js';

/** Means of blocks of samples, where this replica's are analysed. */
export interface BlockMeans {
  /** What can be compared, such as "entropy of llama, vllm 0.32.0". */
  readonly statistics: readonly string[];
  /** Number of the newest block that is over everywhere; blocks are counted from the Unix epoch. */
  newestBlock(nowUs: number): number;
  /** Null where the block is not over, was too small, or is forgotten. */
  blockMean(statistic: string, block: number): BlockMean | null;
  /** @param means what other replicas had in the same block */
  setCohortMeans(statistic: string, block: number, means: readonly BlockMean[]): void;
}

/** Tells the analysis what the same block was for the others, so that what all show alike accuses none. */
export class BlockExchange {
  readonly #means: BlockMeans;
  readonly #peers: Pick<Peers, 'ask'>;
  #exchanged = -1;

  constructor(means: BlockMeans, peers: Pick<Peers, 'ask'>) {
    this.#means = means;
    this.#peers = peers;
  }

  /** The newest block that is over; null = it was exchanged. */
  due(nowUs: number): number | null {
    const block = this.#means.newestBlock(nowUs);
    // Else the clock was set back.
    return block > this.#exchanged || block < this.#exchanged - 1 ? block : null;
  }

  async run(block: number): Promise<void> {
    this.#exchanged = block;
    for (const statistic of this.#means.statistics) {
      if (this.#means.blockMean(statistic, block) === null) continue;
      const answers = await this.#peers.ask({ $case: 'block', value: { block: BigInt(block), statistic } });
      const means = answers.flatMap(({ answer: { values, count } }) =>
        values[0] !== undefined && Number.isFinite(values[0]) ? [{ mean: values[0], requests: count }] : [],
      );
      if (means.length > 0) this.#means.setCohortMeans(statistic, block, means);
    }
  }
}
