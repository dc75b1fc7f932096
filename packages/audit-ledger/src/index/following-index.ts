/** The index beside a writer at work, who keeps its blocks: it catches up with the log when it is asked. */
import type { QueryPage } from '../storage/store.js';
import type { IndexFilter } from './block.js';
import { type BlockKeeper, IndexStore, type LeafReader } from './index-store.js';

/** Leaves that are read at once. */
const STEP_ENTRIES = 4096;

export class FollowingIndex {
  readonly #index: IndexStore;
  #catchingUp: Promise<void> = Promise.resolve();

  /** `size` entries are in the log. */
  constructor(size: number, blocks: Pick<BlockKeeper, 'load'>, leaves: LeafReader) {
    this.#index = new IndexStore(size, { load: blocks.load, save: () => Promise.resolve() }, leaves);
  }

  /** `filter.toSeq` must not be beyond the log. */
  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    const before = this.#catchingUp;
    // One after the other: each adds what the one before left out.
    this.#catchingUp = before.catch(() => undefined).then(() => this.#catchUp(filter.toSeq));
    await this.#catchingUp;
    return await this.#index.query(filter, order, limit);
  }

  async #catchUp(size: number): Promise<void> {
    while (this.#index.size < size) {
      await this.#index.fill(Math.min(size, this.#index.size + STEP_ENTRIES));
      await this.#index.flush();
    }
  }
}
