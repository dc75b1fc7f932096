/** What a backend keeps. One interface, one conformance suite. */
import type { Batch } from '../commit/build.js';
import type { IndexFilter } from '../index/block.js';
import type { HashTile } from '../tiles/path.js';
import type { Head } from './head.js';

export interface StoredEntry {
  readonly seq: number;
  readonly leaf: Uint8Array;
  /** 0x02 | salt | detail. */
  readonly detailPreimage: Uint8Array;
}

/** What is asked of a log, by its writer and by readers alike. */
export interface LogReads {
  /** Committed entries [from, to). */
  readEntries(from: number, to: number): Promise<StoredEntry[]>;

  /** Leaves of committed entries [from, to), without their details. */
  readLeaves(from: number, to: number): Promise<Uint8Array[]>;

  /** Undefined where the tree does not reach the tile. */
  readTile(tile: HashTile): Promise<Uint8Array | undefined>;

  /** Committed seqs that match, at most `limit`, in the order asked for, and where to go on. */
  query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage>;
}

export interface LedgerStore extends LogReads {
  /** The committed head. */
  readonly head: Head;

  /**
   * Makes a batch durable and swaps the head. MUST resolve only when both are done; MUST reject with StaleWriterError or
   * StoreFullError only where nothing was swapped, and with UnknownOutcomeError where that cannot be told.
   */
  commit(batch: Batch, head: Head): Promise<void>;

  /** Keeps the newest signed checkpoint, and in a second place the proof against a rollback. */
  saveCheckpoint(note: string): Promise<void>;

  /** Bytes on disk. */
  storageBytes(): Promise<number>;

  close(): Promise<void>;
}

export interface QueryPage {
  readonly seqs: readonly number[];
  /** Bound to go on from: `toSeq` of the next page (newest first) or its `fromSeq`; undefined at the end. */
  readonly next: number | undefined;
}
