/** What a backend keeps. One interface, one conformance suite. */
import type { AgreedBatch } from '../commit/sequencer.js';
import type { IndexFilter } from '../index/block.js';
import type { Leaf } from '../leaf/leaf.js';
import type { Pruned } from '../retention/pruning.js';
import type { HashTile } from '../tiles/path.js';
import type { Head } from './head.js';

export interface StoredEntry {
  readonly seq: number;
  readonly leaf: Uint8Array;
  /** 0x02 | salt | detail; undefined where it was pruned. */
  readonly detailPreimage: Uint8Array | undefined;
}

/** What is asked of a log, by its writer and by readers alike. */
export interface LogReads {
  /** What was pruned. */
  readonly pruned: Pruned;

  /** Committed entries [from, to); one whose leaf was pruned is left out. */
  readEntries(from: number, to: number): Promise<StoredEntry[]>;

  /** Leaves of committed entries [from, to), without their details; undefined for one that was pruned. */
  readLeaves(from: number, to: number): Promise<(Uint8Array | undefined)[]>;

  /** As stored, which is not believed. Undefined where the tree does not reach the tile, or the store has lost it. */
  readTile(tile: HashTile): Promise<Uint8Array | undefined>;

  /** Committed seqs that match, at most `limit`, in the order asked for, and where to go on. */
  query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage>;
}

export interface LedgerStore extends LogReads {
  /** The committed head. */
  readonly head: Head;

  /**
   * Makes a batch durable and swaps the head; MUST call `batch.assertIntact(head)` between the two. MUST resolve only when both are done; MUST reject with StaleWriterError or
   * StoreFullError only where nothing was swapped, and with UnknownOutcomeError where that cannot be told.
   */
  commit(batch: AgreedBatch, head: Head): Promise<void>;

  /** @throws StaleWriterError where another writer has taken the log over */
  assertOwned(): Promise<void>;

  /** Keeps the newest signed checkpoint, and in a second place the proof against a rollback. */
  saveCheckpoint(note: string): Promise<void>;

  /**
   * Takes details and leaves away, which an entry of the log has announced. MUST end where it would have ended when it is
   * called again after a crash at any point.
   */
  prune(order: PruneOrder): Promise<void>;

  /** Blocks of the index over these entries were made anew, or taken away to be: they are read again. */
  reloadIndex(seqs: readonly number[]): void;

  /** Bytes on disk. */
  storageBytes(): Promise<number>;

  close(): Promise<void>;
}

/** New ends, never below the old ones; `leaves` is a multiple of 256 and `details` the end of a commit. */
export interface PruneOrder extends Pruned {
  readonly keep: (leaf: Leaf) => boolean;
  /** Something that an earlier pruning kept need not be kept any more. */
  readonly narrowed: boolean;
}

export interface QueryPage {
  readonly seqs: readonly number[];
  /** Bound to go on from: `toSeq` of the next page (newest first) or its `fromSeq`; undefined at the end. */
  readonly next: number | undefined;
}
