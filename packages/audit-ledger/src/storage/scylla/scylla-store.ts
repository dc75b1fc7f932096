/** The `scylla` backend: rows of a batch first, then the head's lightweight transaction as commit point, everything else derived. */
import { untilThere } from '@sentinel/service-kit/until-there';
import type { AgreedBatch } from '../../commit/sequencer.js';
import type { IndexFilter } from '../../index/block.js';
import type { Pruned, PrunedEnds } from '../../retention/pruning.js';
import type { HashTile } from '../../tiles/path.js';
import { StaleWriterError, UnknownOutcomeError } from '../errors.js';
import type { Head } from '../head.js';
import type { LedgerStore, PruneOrder, QueryPage, StoredEntry } from '../store.js';
import { batchBytes, batchStatements } from './batch-rows.js';
import { checkpointStatement, forgetStatements, readCheckpoints, type StoredCheckpoint } from './checkpoints.js';
import { explain, type Statement } from './cluster.js';
import type { HeadRow, ScyllaHead } from './head-row.js';
import type { LogRows } from './log-rows.js';
import { dropStatement, markStatement } from './marks.js';
import type { NewestBlock } from './newest-block.js';
import type { Presence } from './presence.js';
import { pruneDetails, pruneLeaves } from './prune-rows.js';
import type { CommitPlace } from './recover.js';
import { ScyllaReads } from './scylla-reads.js';

const TABLES = ['checkpoints', 'rollback_guard'] as const;

export interface ScyllaStoreParts {
  readonly rows: LogRows;
  readonly headRow: HeadRow;
  readonly pruned: Pruned;
  readonly newest: NewestBlock;
  readonly presence: Pick<Presence, 'release'>;
  /** How long rows are written again while the cluster is away. */
  readonly patienceMs: number;
  /** Commits that no seal covers. */
  readonly unsealed: readonly CommitPlace[];
  /** Checkpoints of earlier writers: forgotten once this one has saved its first. */
  readonly earlier: Readonly<Record<(typeof TABLES)[number], readonly StoredCheckpoint[]>>;
}

export class ScyllaStore implements LedgerStore {
  readonly #parts: ScyllaStoreParts;
  readonly #reads: ScyllaReads;
  #pruned: Pruned;
  /** Below these ends this writer has seen everything go: what an earlier one left half done is done again. */
  #prunedTo: PrunedEnds = { leaves: 0, details: 0 };
  /** Bytes that prunings took since the last commit. */
  #freed = 0;
  #head: ScyllaHead;
  #unsealed: readonly CommitPlace[];
  /** This writer has committed nothing yet. */
  #isFirst = true;
  /** Checkpoints of earlier writers are forgotten. */
  #superseded = false;

  constructor(parts: ScyllaStoreParts, head: ScyllaHead) {
    this.#parts = parts;
    this.#head = head;
    this.#unsealed = parts.unsealed;
    this.#reads = new ScyllaReads(
      parts.rows,
      parts.newest.index,
      () => this.#head.size,
      () => this.#pruned,
    );
    this.#pruned = parts.pruned;
  }

  get head(): Head {
    return this.#head;
  }

  get pruned(): Pruned {
    return this.#pruned;
  }

  async prune({ leaves, details, prunings, keep, narrowed }: PruneOrder): Promise<void> {
    const { rows, newest } = this.#parts;
    const from = narrowed ? { leaves: 0, details: 0 } : this.#prunedTo;
    // Before a row is gone: whoever reads meanwhile must not take it for damage.
    this.#pruned = { leaves, details, prunings };
    rows.prunedLeaves = leaves;
    // Details first: they are judged by their leaves.
    this.#freed += await pruneDetails(rows, from.details, details, keep);
    this.#freed += await pruneLeaves(rows, from.leaves, leaves, keep);
    await newest.index.forget(0, leaves);
    this.#prunedTo = { leaves, details };
  }

  async commit(batch: AgreedBatch, head: Head): Promise<void> {
    const { rows, headRow, newest } = this.#parts;
    const { commit, firstSeq, epoch } = batch.header;
    const unsealed = [...this.#unsealed, { commit, firstSeq }].filter(
      (each) => each.commit >= head.firstUnsealedCommit,
    );
    const freed = this.#freed;
    const storedBytes = Math.max(0, this.#head.storedBytes - freed) + batchBytes(batch);
    const { owner } = this.#head;
    const next = { ...head, firstUnsealedSeq: unsealed[0]?.firstSeq ?? head.size, storedBytes, owner };
    const before = this.#isFirst ? undefined : this.#head.producers;
    const marks = markStatement(rows, { commit, epoch }, before, head.producers);
    await this.#persist([...batchStatements(rows, batch), ...marks]);
    batch.assertIntact(next);
    await headRow.swap(this.#head, next);
    this.#freed -= freed;
    this.#head = next;
    this.#isFirst = false;
    this.#unsealed = unsealed;
    for (const [i, draft] of batch.drafts.entries()) newest.add(firstSeq + i, draft, head.receivedUs, commit);
    await Promise.all([this.#tidy(commit), this.#assertNoneAfter()]);
  }

  async assertOwned(): Promise<void> {
    const stored = await this.#parts.headRow.read();
    if (stored?.head.owner !== this.#head.owner) throw new StaleWriterError();
  }

  /** One after the other, so that whoever reads the guard first never finds it ahead of the log. */
  async saveCheckpoint(note: string): Promise<void> {
    const { rows, earlier } = this.#parts;
    for (const table of TABLES) await rows.cluster.write([checkpointStatement(rows, table, this.#head, note)]);
    if (this.#superseded) return;
    await rows.cluster.write(TABLES.flatMap((table) => forgetStatements(rows, table, earlier[table])));
    this.#superseded = true;
  }

  async readEntries(from: number, to: number): Promise<StoredEntry[]> {
    return await this.#reads.readEntries(from, to);
  }

  async readLeaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    return await this.#reads.readLeaves(from, to);
  }

  async readTile(tile: HashTile): Promise<Uint8Array | undefined> {
    return await this.#reads.readTile(tile);
  }

  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    return await this.#reads.query(filter, order, limit);
  }

  reloadIndex(seqs: readonly number[]): void {
    this.#parts.newest.index.reload(seqs);
  }

  /** What batches wrote, before copies and compression. */
  storageBytes(): Promise<number> {
    return Promise.resolve(Math.max(0, this.#head.storedBytes - this.#freed));
  }

  async close(): Promise<void> {
    await this.#parts.presence.release();
    await this.#parts.rows.cluster.close();
  }

  /** The same rows again while the cluster is away: nothing of them counts before the swap. */
  async #persist(statements: readonly Statement[]): Promise<void> {
    await this.#patiently(() => this.#parts.rows.cluster.write(statements));
  }

  /**
   * A copy that is put back brings back the head that a writer which slept left, but not the checkpoints of those who wrote meanwhile:
   * before it signs what it committed it looks for them.
   * @throws StaleWriterError
   */
  async #assertNoneAfter(): Promise<void> {
    const guards = await this.#patiently(() => readCheckpoints(this.#parts.rows, 'rollback_guard'));
    if (guards.some(({ epoch }) => epoch > this.#head.epoch)) throw new StaleWriterError();
  }

  /** Again while the cluster is away. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { cluster } = this.#parts.rows;
    const signal = AbortSignal.timeout(this.#parts.patienceMs);
    const patience = { explain, heard: () => undefined, signal, pause: (ms: number) => cluster.pause(ms, signal) };
    try {
      return await untilThere(work, patience);
    } catch (error) {
      throw new UnknownOutcomeError(error);
    }
  }

  /** Derived rows: what is not written now is written with a later commit, and recovery does without. */
  async #tidy(commit: number): Promise<void> {
    const { rows, newest } = this.#parts;
    const drop = dropStatement(rows, commit);
    try {
      await newest.flush();
      if (drop !== undefined) await rows.cluster.write([drop]);
    } catch {
      // Kept in memory.
    }
  }
}
