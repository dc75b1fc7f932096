/** The `file` backend: entries and details in segment files, the head's swap as commit point, everything else derived. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { SegmentLog } from '@sentinel/service-kit/segment-log';
import type { Batch } from '../../commit/build.js';
import type { AgreedBatch } from '../../commit/sequencer.js';
import { BLOCK_ENTRIES, type IndexFilter } from '../../index/block.js';
import type { IndexStore } from '../../index/index-store.js';
import type { Pruned } from '../../retention/pruning.js';
import type { HashTile } from '../../tiles/path.js';
import { StoreFullError, UnknownOutcomeError } from '../errors.js';
import type { Head } from '../head.js';
import type { LedgerStore, PruneOrder, QueryPage, StoredEntry } from '../store.js';
import type { CommitRow, CommitTable } from './commit-table.js';
import type { Disk } from './disk.js';
import { isErrno, orUndefined } from './errno.js';
import { prepareFile } from './files.js';
import type { GuardFile } from './guard-file.js';
import type { HashColumns } from './hash-columns.js';
import { type FileHead, type HeadFile, type StagedHead, sameEnds } from './head-file.js';
import type { Layout } from './layout.js';
import { pruneFolder } from './prune-folder.js';
import { type PrunedLog, prunedOf } from './pruned-log.js';
import type { RecordReader } from './record-reader.js';

/** Below this the disk counts as full: what is left is for heads, checkpoints and whoever else writes there. */
const RESERVE_BYTES = 32 * 2 ** 20;
/** How long one look at the free space is believed. */
const FREE_SPACE_MS = 500;
export interface FileStoreParts {
  readonly layout: Layout;
  readonly disk: Disk;
  readonly heads: HeadFile;
  readonly guard: GuardFile;
  readonly entries: SegmentLog;
  readonly details: SegmentLog;
  readonly commits: CommitTable;
  readonly columns: HashColumns;
  readonly index: IndexStore;
  readonly pruned: PrunedLog;
  readonly reader: RecordReader;
  readonly release: () => Promise<void>;
}

/** A batch that is durable and not yet committed. */
interface Written {
  readonly next: FileHead;
  /** Where `next` lies; undefined where it is yet to be written. */
  readonly staged: StagedHead | undefined;
  readonly row: CommitRow;
}

export class FileStore implements LedgerStore {
  readonly #parts: FileStoreParts;
  #head: FileHead;
  #roomUntilMs = 0;

  constructor(parts: FileStoreParts, head: FileHead) {
    this.#parts = parts;
    this.#head = head;
  }

  get head(): Head {
    return this.#head;
  }

  get pruned(): Pruned {
    return prunedOf(this.#parts.pruned);
  }

  async prune(order: PruneOrder): Promise<void> {
    await pruneFolder(this.#parts, order);
  }

  async commit(batch: AgreedBatch, head: Head): Promise<void> {
    const { commits, columns, index } = this.#parts;
    // Before a byte is written: a stale writer must not touch what another one has committed.
    await Promise.all([this.assertOwned(), this.#assertRoom()]);
    const written = await this.#write(batch, head);
    batch.assertIntact(written.next);
    await this.#swap(written);
    this.#head = written.next;
    const { commit, firstSeq } = batch.header;
    commits.append(written.row);
    columns.append(head.size, batch.columns);
    for (const [i, draft] of batch.drafts.entries()) index.add(firstSeq + i, draft, commit);
    if (Math.floor(head.size / BLOCK_ENTRIES) > Math.floor(firstSeq / BLOCK_ENTRIES)) await this.#syncBlock(firstSeq);
  }

  async assertOwned(): Promise<void> {
    await this.#parts.heads.assertNewest(this.#head.generation);
  }

  /** Whoever reads the checkpoint from the folder finds everything under it there too. */
  async saveCheckpoint(note: string): Promise<void> {
    const { columns, commits, index, layout, disk, guard } = this.#parts;
    const [replaceCheckpoint, replaceGuard] = await Promise.all([
      prepareFile(disk, layout.checkpoint, note),
      guard.prepare(note),
      columns.flush(),
      commits.flush(),
      index.flush(),
    ]);
    // One after the other, so that whoever reads the guard first never finds it ahead of the folder.
    await replaceCheckpoint();
    await replaceGuard();
  }

  async readEntries(from: number, to: number): Promise<StoredEntry[]> {
    return await this.#parts.reader.entries(from, Math.min(to, this.#head.size));
  }

  async readLeaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    return await this.#parts.reader.leaves(from, Math.min(to, this.#head.size));
  }

  async readTile(tile: HashTile): Promise<Uint8Array | undefined> {
    return await this.#parts.columns.readIfThere(tile);
  }

  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    return await this.#parts.index.query(filter, order, limit);
  }

  reloadIndex(seqs: readonly number[]): void {
    this.#parts.index.reload(seqs);
  }

  async storageBytes(): Promise<number> {
    return await bytesBelow(this.#parts.layout.root);
  }

  async close(): Promise<void> {
    const { entries, details, commits, guard, release } = this.#parts;
    await Promise.allSettled([entries.close(), details.close(), commits.close(), guard.close()]);
    await release();
  }

  async #assertRoom(): Promise<void> {
    if (performance.now() < this.#roomUntilMs) return;
    const free = await this.#parts.disk.freeBytes(this.#parts.layout.root);
    if (free < RESERVE_BYTES) throw new StoreFullError(`${free} bytes free`);
    this.#roomUntilMs = performance.now() + FREE_SPACE_MS;
  }

  /** Everything that must be durable before the swap, at once: both records, and under another name the head that speaks of them. */
  async #write(batch: Batch, head: Head): Promise<Written> {
    const { heads, entries, details } = this.#parts;
    const foreseen = { entriesEnd: entries.endAfter([batch.entries]), detailsEnd: details.endAfter([batch.details]) };
    const [first, second, staged] = await Promise.allSettled([
      entries.append([batch.entries]),
      details.append([batch.details]),
      heads.stage({ ...head, ...foreseen }),
    ]);
    if (first.status === 'rejected' || second.status === 'rejected' || staged.status === 'rejected') {
      if (staged.status === 'fulfilled') heads.discard(staged.value);
      await this.#takeBack();
      throw failureOf([first, second, staged]);
    }
    const [[entriesAt], [detailsAt]] = [first.value, second.value];
    if (entriesAt === undefined || detailsAt === undefined) throw new UnknownOutcomeError('a log gave no position');
    const next = { ...head, entriesEnd: entries.end, detailsEnd: details.end };
    const row = { firstSeq: batch.header.firstSeq, entries: entriesAt, details: detailsAt };
    if (sameEnds(next, foreseen)) return { next, staged: staged.value, row };
    // A pruning made a log go on in another file than was foreseen.
    heads.discard(staged.value);
    return { next, staged: undefined, row };
  }

  async #swap({ next, staged }: Written): Promise<void> {
    const { heads, guard } = this.#parts;
    try {
      await heads.swap(next, staged, () => guard.assertMine());
    } catch (error) {
      if (error instanceof StoreFullError) await this.#takeBack();
      throw error;
    }
  }

  /** Removes what no head speaks of, so that the next batch follows the last committed one. */
  async #takeBack(): Promise<void> {
    try {
      await this.#parts.entries.truncate(this.#head.entriesEnd);
      await this.#parts.details.truncate(this.#head.detailsEnd);
    } catch (error) {
      throw new UnknownOutcomeError(error);
    }
  }

  /** Recovery starts at the newest block, so what lies before must survive a power cut. */
  async #syncBlock(firstSeq: number): Promise<void> {
    const { columns, commits, index } = this.#parts;
    try {
      await Promise.all([columns.flush(), commits.flush(), index.flush()]);
      await Promise.all([columns.sync(Math.floor(firstSeq / BLOCK_ENTRIES)), commits.sync()]);
    } catch (error) {
      // Derived data: it stays in memory, and recovery falls back to the entries.
      if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw new UnknownOutcomeError(error);
    }
  }
}

/** Of writes that failed before anything was committed: nothing is lost where each found no room. */
function failureOf(writes: readonly PromiseSettledResult<unknown>[]): StoreFullError | UnknownOutcomeError {
  const reasons = writes.flatMap((write): unknown[] => (write.status === 'rejected' ? [write.reason] : []));
  return reasons.every(isFull) ? new StoreFullError(reasons[0]) : new UnknownOutcomeError(reasons[0]);
}

function isFull(reason: unknown): boolean {
  return reason instanceof StoreFullError || (reason instanceof SentinelError && reason.reason === 'DISK_FULL');
}

async function bytesBelow(directory: string): Promise<number> {
  const names = (await orUndefined(readdir(directory, { recursive: true }))) ?? [];
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await orUndefined(stat(join(directory, name)));
      // What is really taken: a pruned file has holes. POSIX counts blocks of 512 bytes.
      return found?.isFile() === true ? Math.min(found.size, found.blocks * 512) : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
