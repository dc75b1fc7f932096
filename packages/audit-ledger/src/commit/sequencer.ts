/** Holds the state of both paths and lets a batch through only where they agree. */
import type { Head } from '../storage/head.js';
import { type Batch, type BatchInput, buildBatch, type ChainState } from './build.js';
import { DivergenceError } from './divergence.js';
import { assertIntact, checksumsOf, sameNodes } from './intact.js';
import type { Recomputed, ShadowState } from './recompute.js';
import { inPlace, type SecondPath, SecondPathLostError } from './second-path.js';

/** A batch on which both paths agree. */
export interface AgreedBatch extends Batch {
  /**
   * To be called by a store between writing the batch and swapping the head.
   * @throws DivergenceError where memory changed since both paths agreed: then nothing must be swapped or signed
   */
  assertIntact(head: Head): void;
}

export interface Proposal extends AgreedBatch {
  /** Root of the log once this batch is in. */
  readonly root: Buffer;
  readonly shadow: ShadowState;
}

export class Sequencer {
  #state: ChainState;
  #shadow: ShadowState;
  readonly #secondPath: SecondPath;
  readonly #build: typeof buildBatch;

  constructor(
    state: ChainState,
    shadow: ShadowState,
    secondPath: SecondPath = inPlace,
    build: typeof buildBatch = buildBatch,
  ) {
    this.#state = state;
    this.#shadow = shadow;
    this.#secondPath = secondPath;
    this.#build = build;
  }

  get size(): number {
    return this.#state.frontier.size;
  }

  /** Changes nothing: a proposal that is not accepted is forgotten. @throws DivergenceError, SecondPathLostError */
  async propose(input: BatchInput): Promise<Proposal> {
    const batch = this.#build(this.#state, input);
    const sums = checksumsOf(batch);
    const again = await this.#recompute(batch);
    const root = batch.next.frontier.root();
    const agreed =
      again.next.size === batch.next.frontier.size &&
      again.next.receivedUs === batch.next.receivedUs &&
      batch.next.chainHead.equals(again.next.chainHead) &&
      batch.batchRoot.equals(again.batchRoot) &&
      root.equals(again.root) &&
      sameNodes(batch, again);
    if (!agreed) throw new DivergenceError('two computations of the same batch disagree');
    return { ...batch, root, shadow: again.next, assertIntact: (head) => assertIntact(batch, sums, again, head) };
  }

  /** To be called once the proposal is durable and committed. */
  accept(proposal: Proposal): void {
    this.#state = proposal.next;
    this.#shadow = proposal.shadow;
  }

  async #recompute({ entries, details }: Batch): Promise<Recomputed> {
    try {
      return await this.#secondPath({ before: this.#shadow, entries, details });
    } catch (error) {
      if (error instanceof SecondPathLostError) throw error;
      throw new DivergenceError(
        `serialised batch does not verify: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
