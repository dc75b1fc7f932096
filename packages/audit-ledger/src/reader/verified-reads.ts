/** What a store that is not believed gives, held against a signed checkpoint before anybody sees it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { MalformedRecordError } from '../commit/record.js';
import { SALT_BYTES } from '../detail/commitment.js';
import type { IndexFilter } from '../index/block.js';
import { decodeLeaf, LeafView } from '../leaf/leaf.js';
import { type Pruned, type Pruning, prunedBy, pruningIn } from '../retention/pruning.js';
import type { LogReads, QueryPage, StoredEntry } from '../storage/store.js';
import type { HashTile } from '../tiles/path.js';
import { tileWidth } from '../tiles/path.js';
import { leafHash } from '../tree/hash.js';
import { BrokenLinkError, checkDetail } from '../verify/link.js';
import { UnverifiableError, type VerifiedTree } from './verified-tree.js';

/** A writer that starts makes its derived files anew: what looks damaged is read again, so often and after such pauses. */
const READ_ATTEMPTS = 5;
const READ_PAUSE_MS = 200;

/**
 * Every leaf is in the signed tree and every detail is what its leaf committed to. Which entries match a query is the index's
 * word: none that is shown is false, but whether some were left out only a walk over the log tells.
 */
export class VerifiedReads implements LogReads {
  readonly #tree: VerifiedTree;
  readonly #store: LogReads;
  #prunings: { readonly known: string; readonly read: readonly Pruning[] } = { known: '', read: [] };

  constructor(tree: VerifiedTree, store: LogReads) {
    this.#tree = tree;
    this.#store = store;
  }

  get pruned(): Pruned {
    return this.#store.pruned;
  }

  /** @throws UnverifiableError */
  async readEntries(from: number, to: number): Promise<StoredEntry[]> {
    return await patiently(() => this.#entries(from, to));
  }

  /** @throws UnverifiableError */
  async readLeaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    return await patiently(() => this.#leaves(from, to));
  }

  /** @throws UnverifiableError */
  async readTile(tile: HashTile): Promise<Uint8Array | undefined> {
    const reached = tile.width <= tileWidth(this.#tree.checkpoint.size, tile.level, tile.index);
    return reached ? await patiently(() => this.#tree.tile(tile)) : undefined;
  }

  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    return await this.#store.query({ ...filter, toSeq: this.#within(filter.toSeq) }, order, limit);
  }

  async #entries(from: number, to: number): Promise<StoredEntry[]> {
    const entries = await this.#store.readEntries(from, this.#within(to));
    const slots = new Array<Uint8Array | undefined>(Math.max(0, this.#within(to) - from)).fill(undefined);
    for (const { seq, leaf } of entries) slots[seq - from] = leaf;
    await this.#check(from, to, slots);
    for (const { seq, leaf, detailPreimage } of entries) {
      if (detailPreimage !== undefined) checkedDetail(seq, leaf, detailPreimage);
      else if (prunedBy(await this.#announced(), seq, decodeLeaf(leaf)) === undefined)
        throw new UnverifiableError(
          `the detail of entry ${seq} is missing, and no entry of the log says that it was pruned`,
        );
    }
    return entries;
  }

  async #leaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    const leaves = await this.#store.readLeaves(from, this.#within(to));
    await this.#check(from, to, leaves);
    return leaves;
  }

  /** What entries of the log say of prunings; which ones do the store tells, and is not believed. */
  async #announced(): Promise<readonly Pruning[]> {
    const known = this.pruned.prunings.join();
    if (this.#prunings.known === known) return this.#prunings.read;
    const read: Pruning[] = [];
    for (const seq of this.pruned.prunings) {
      const [entry] = await this.#entries(seq, seq + 1);
      const said = entry?.detailPreimage && pruningIn(seq, entry.detailPreimage.subarray(1 + SALT_BYTES));
      if (said !== undefined) read.push(said);
    }
    this.#prunings = { known, read };
    return read;
  }

  #within(to: number): number {
    return Math.min(to, this.#tree.checkpoint.size);
  }

  async #check(from: number, to: number, leaves: readonly (Uint8Array | undefined)[]): Promise<void> {
    const expected = Math.max(0, this.#within(to) - from);
    if (leaves.length !== expected)
      throw new UnverifiableError(`the store gave ${leaves.length} of ${expected} entries from ${from}`);
    for (const [i, leaf] of leaves.entries()) {
      const seq = from + i;
      if (leaf === undefined) await this.#assertPruned(seq);
      else if (!leafHash(leaf).equals(await this.#tree.leafHash(seq)))
        throw new UnverifiableError(`entry ${seq} is not the one that was signed`);
    }
  }

  async #assertPruned(seq: number): Promise<void> {
    // Announcements are the ledger's own entries, which no pruning takes.
    const gone = seq < this.pruned.leaves && !this.pruned.prunings.includes(seq);
    if (!gone || !(await this.#announced()).some(({ leaves }) => seq < leaves))
      throw new UnverifiableError(`entry ${seq} is missing, and no entry of the log says that it was pruned`);
  }
}

/** @throws UnverifiableError where it stays as it was */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UnverifiableError || error instanceof MalformedRecordError)) throw error;
      if (attempt === READ_ATTEMPTS) throw new UnverifiableError(error.message);
      await sleep(READ_PAUSE_MS);
    }
  }
}

function checkedDetail(seq: number, leaf: Uint8Array, preimage: Uint8Array): void {
  try {
    checkDetail(new LeafView(leaf), preimage);
  } catch (error) {
    throw error instanceof BrokenLinkError ? new UnverifiableError(`entry ${seq}: ${error.message}`) : error;
  }
}
