/** Holds the state of both paths and lets a batch through only where they agree. */
import { type Batch, type BatchInput, buildBatch, type ChainState } from './build.js';
import { type Recomputed, recomputeBatch, type ShadowState } from './recompute.js';

/** The two paths disagree: this machine computed something wrong. The batch must not be stored, let alone signed. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
}

export interface Proposal extends Batch {
  /** Root of the log once this batch is in. */
  readonly root: Buffer;
  readonly shadow: ShadowState;
}

export class Sequencer {
  #state: ChainState;
  #shadow: ShadowState;
  readonly #build: typeof buildBatch;

  constructor(state: ChainState, shadow: ShadowState, build: typeof buildBatch = buildBatch) {
    this.#state = state;
    this.#shadow = shadow;
    this.#build = build;
  }

  get size(): number {
    return this.#state.frontier.size;
  }

  /** Changes nothing: a proposal that is not accepted is forgotten. */
  propose(input: BatchInput): Proposal {
    const batch = this.#build(this.#state, input);
    const again = this.#recompute(batch);
    const root = batch.next.frontier.root();
    const agreed =
      again.next.size === batch.next.frontier.size &&
      again.next.receivedUs === batch.next.receivedUs &&
      batch.next.chainHead.equals(again.next.chainHead) &&
      batch.batchRoot.equals(again.batchRoot) &&
      root.equals(again.root);
    if (!agreed) throw new DivergenceError('two computations of the same batch disagree');
    return { ...batch, root, shadow: again.next };
  }

  /** To be called once the proposal is durable and committed. */
  accept(proposal: Proposal): void {
    this.#state = proposal.next;
    this.#shadow = proposal.shadow;
  }

  #recompute(batch: Batch): Recomputed {
    try {
      return recomputeBatch(this.#shadow, batch.entries, batch.details);
    } catch (error) {
      throw new DivergenceError(
        `serialised batch does not verify: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
