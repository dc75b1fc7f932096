/** What a store that is not believed gives, held against a signed checkpoint before anybody sees it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { MalformedRecordError } from '../commit/record.js';
import type { IndexFilter } from '../index/block.js';
import { decodeLeaf } from '../leaf/leaf.js';
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

  constructor(tree: VerifiedTree, store: LogReads) {
    this.#tree = tree;
    this.#store = store;
  }

  /** @throws UnverifiableError */
  async readEntries(from: number, to: number): Promise<StoredEntry[]> {
    return await patiently(() => this.#entries(from, to));
  }

  /** @throws UnverifiableError */
  async readLeaves(from: number, to: number): Promise<Uint8Array[]> {
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
    await this.#check(
      from,
      to,
      entries.map(({ leaf }) => leaf),
    );
    for (const { seq, leaf, detailPreimage } of entries) checkedDetail(seq, leaf, detailPreimage);
    return entries;
  }

  async #leaves(from: number, to: number): Promise<Uint8Array[]> {
    const leaves = await this.#store.readLeaves(from, this.#within(to));
    await this.#check(from, to, leaves);
    return leaves;
  }

  #within(to: number): number {
    return Math.min(to, this.#tree.checkpoint.size);
  }

  async #check(from: number, to: number, leaves: readonly Uint8Array[]): Promise<void> {
    const expected = Math.max(0, this.#within(to) - from);
    if (leaves.length !== expected)
      throw new UnverifiableError(`the store gave ${leaves.length} of ${expected} entries from ${from}`);
    for (const [i, leaf] of leaves.entries()) {
      if (!leafHash(leaf).equals(await this.#tree.leafHash(from + i)))
        throw new UnverifiableError(`entry ${from + i} is not the one that was signed`);
    }
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
    checkDetail(decodeLeaf(leaf), preimage);
  } catch (error) {
    throw error instanceof BrokenLinkError ? new UnverifiableError(`entry ${seq}: ${error.message}`) : error;
  }
}
