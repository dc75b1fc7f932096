/** Where a verifier gets a log from. Nothing it says is believed. */
import { SALT_BYTES } from '../detail/commitment.js';
import type { LeafView } from '../leaf/leaf.js';
import type { PrunedEnds } from '../retention/pruning.js';
import type { Tile } from '../tiles/path.js';

export interface Opening {
  readonly seq: number;
  readonly salt: Uint8Array;
  readonly detail: Uint8Array;
  /** 0x02 | salt | detail, where the source has it in one piece. */
  readonly preimage?: Uint8Array;
}

/** An opening as it is stored. */
export class StoredOpening implements Opening {
  readonly seq: number;
  readonly preimage: Uint8Array;

  constructor(seq: number, preimage: Uint8Array) {
    this.seq = seq;
    this.preimage = preimage;
  }

  get salt(): Uint8Array {
    return this.preimage.subarray(1, 1 + SALT_BYTES);
  }

  get detail(): Uint8Array {
    return this.preimage.subarray(1 + SALT_BYTES);
  }
}

/** What was pruned, as a source claims it. */
export interface ClaimedPruned extends PrunedEnds {
  /** The entries that announced it. */
  readonly announced: readonly Opening[];
}

export const NOTHING_PRUNED: ClaimedPruned = { leaves: 0, details: 0, announced: [] };

export interface LogSource {
  /** The newest signed checkpoint. */
  checkpoint(): Promise<string>;
  tile(tile: Tile): Promise<Uint8Array>;
  /**
   * Salts and details of entries [from, to), ascending, some at a time; one that is not there is left out. Absent: details are
   * not checked.
   */
  openings?(from: number, to: number): AsyncIterable<readonly Opening[]>;
  /** Leaves of a bundle, as its entry tile has them: quicker, where the source need not pack them first. */
  leaves?(index: number, width: number): Promise<readonly Uint8Array[]>;
  /** What was pruned, as the source claims. Absent: nothing. */
  pruned?(): Promise<ClaimedPruned>;
  /** Leaves of entries [from, to) below `pruned.leaves` that were kept, ascending. */
  keptLeaves?(from: number, to: number): AsyncIterable<{ readonly seq: number; readonly leaf: Uint8Array }>;
  /** The entries in which keys of the log handed over to the next, oldest first. Absent: no key ever did. */
  rotations?(): Promise<readonly Opening[]>;
  /** Told, in order, of leaves that the walk read from `first` on, undefined where one is pruned or damaged; they lie in one bundle. */
  walked?(first: number, leaves: readonly (LeafView | undefined)[]): Promise<void>;
  /** Asked for after the walk: damage that the source itself saw. */
  faults?(): Promise<readonly SourceFault[]>;
}

/** Something wrong around entries [first, last], which matters where none of them is found altered itself. */
export interface SourceFault {
  readonly first: number;
  readonly last: number;
  readonly what: string;
  /** It is of a file of its own: no damaged entry explains it. */
  readonly apart?: true;
}

/** The source could not be read: this says nothing about the log. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}
