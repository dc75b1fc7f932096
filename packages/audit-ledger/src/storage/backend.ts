/** Where a log can be kept: one interface for the writer and for whoever verifies. */
import type { ChainState } from '../commit/build.js';
import type { ShadowState } from '../commit/recompute.js';
import type { EventWindow } from '../ingest/event-window.js';
import type { Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import type { RightLog } from '../repair/right-log.js';
import type { SealTracker } from '../seal/tracker.js';
import type { LogSource } from '../verify/source.js';
import type { Head, Landmarks } from './head.js';
import type { LedgerStore, LogReads } from './store.js';

export interface Backend {
  readonly name: 'file' | 'scylla';
  /** Where the log lies, for people. */
  readonly place: string;

  /**
   * Takes the log over as its one writer and recovers it; where there is none, and one may be begun, it has no entries yet.
   * @throws NoLogError, StaleWriterError, TamperedStoreError, RollbackError, and SentinelError where the place cannot be used
   */
  openWriter(options: OpenWriterOptions): Promise<OpenedStore>;

  /** Everything that is stored up to the newest signed checkpoint, by default that of the first place, beside a writer at work. @throws SourceError */
  openSource(place?: CheckpointPlace): Promise<StoredLog>;

  /** The same up to the head, which nobody signed; undefined where no log was ever made. @throws SourceError */
  openUnsigned(): Promise<{ readonly source: StoredLog; readonly head: Pick<Head, 'size' | 'root'> } | undefined>;

  /**
   * Puts right what is damaged around these entries, as far as `right` has it, also beside a writer at work. Whatever is written
   * is what was committed, so that it may end at any point and begin again.
   */
  mend(seqs: readonly number[], right: RightLog): Promise<void>;

  /** The log beside a writer at work, for a reader that follows it. Nothing is written and nothing of it believed. */
  openReader(): Promise<FollowedLog>;

  /** Signed checkpoints in the second place, which the log must extend; none where there is no log. */
  guards(): Promise<readonly string[]>;
  /** That place, for people. */
  readonly guardPlace: string;
}

/** Where a checkpoint is taken from: `first` = with the log, `second` = the second place. */
export type CheckpointPlace = 'first' | 'second';

export interface FollowedLog {
  /** The newest signed checkpoint; undefined where there is none yet. MUST NOT be older than one that it gave before. */
  checkpoint(): Promise<string | undefined>;
  /** Where the head says that the newest entries of their kinds are. */
  landmarks(): Promise<Landmarks>;
  /** What lies under a checkpoint of `size` entries; what was given for a smaller size stays valid. */
  readsAt(size: number): Promise<LogReads>;
  close(): Promise<void>;
}

export interface StoredLog extends LogSource {
  close(): Promise<void>;
}

export interface OpenWriterOptions {
  /** Whose checkpoints the log must hold. */
  readonly verifier: VerifierKey;
  /** An operator knows that the log is older than a checkpoint of it. */
  readonly acceptRollback: boolean;
  /** Whether a log may be made where there is none: a key that signed one before would contradict itself. */
  readonly mayBegin: boolean;
  readonly nowUs: number;
  /** 16 bytes that mark this writer's take-over. */
  readonly newEpochId: Uint8Array;
}

export interface OpenedStore {
  readonly store: LedgerStore;
  readonly state: ChainState;
  readonly shadow: ShadowState;
  readonly window: EventWindow;
  readonly seals: SealTracker;
  /** The checkpoint that the log fell behind, where that was accepted. */
  readonly lost: Checkpoint | undefined;
  /** Why nothing shows whether the log went back in time; undefined where its second place does. */
  readonly unguarded: string | undefined;
  /** Entries that were recomputed. */
  readonly recomputed: number;
}
