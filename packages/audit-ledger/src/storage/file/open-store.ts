/** Opens the folder of a log as its one writer: takes it, recovers it, and refuses one that went back in time. */
import type { Position } from '@sentinel/service-kit/segment-log';
import { SegmentLog } from '@sentinel/service-kit/segment-log';
import { IndexStore } from '../../index/index-store.js';
import { EventWindow } from '../../ingest/event-window.js';
import type { OpenedStore, OpenWriterOptions } from '../backend.js';
import { TamperedStoreError } from '../errors.js';
import { assertMayBegin, assertSameLog, compareWithGuards, unguardedReason } from '../guard.js';
import { EMPTY_HEAD } from '../head.js';
import { blockFiles } from './block-files.js';
import { CommitTable } from './commit-table.js';
import { type Disk, nodeDisk, segmentFilesOn } from './disk.js';
import { FileStore } from './file-store.js';
import { guardState, storedCheckpoints, syncGuard } from './guard.js';
import { GuardFile } from './guard-file.js';
import { HashColumns } from './hash-columns.js';
import { type FileHead, HeadFile } from './head-file.js';
import { layoutOf, MAX_RECORD_BYTES, SEGMENT_BYTES } from './layout.js';
import { LOG_START } from './pruned-file.js';
import { PrunedLog } from './pruned-log.js';
import { fillWindow, nodeReader, rebuild } from './rebuild.js';
import { RecordReader } from './record-reader.js';

/** A folder, and what tests replace of it. */
export interface FilePlace {
  readonly directory: string;
  readonly disk?: Disk;
  readonly segmentBytes?: number;
}

type OpenOptions = FilePlace & OpenWriterOptions;

/**
 * @throws SentinelError FAILED_PRECONDITION while another process writes there; TamperedStoreError where the log is not what was committed; NoLogError;
 * RollbackError where it is older than its newest checkpoint; StaleWriterError where another writer took it meanwhile
 */
export async function openFileStore(options: OpenOptions): Promise<OpenedStore> {
  const disk = options.disk ?? nodeDisk;
  await disk.makeDirectory(options.directory);
  const lock = await disk.lock(options.directory);
  const opened: { close(): Promise<unknown> }[] = [{ close: () => lock.release() }];
  try {
    return await openLocked(options, disk, opened);
  } catch (error) {
    for (const each of opened.toReversed()) await each.close();
    throw error;
  }
}

async function openLocked(
  options: OpenOptions,
  disk: Disk,
  opened: { close(): Promise<unknown> }[],
): Promise<OpenedStore> {
  const layout = layoutOf(options.directory);
  const track = <T extends { close(): Promise<unknown> }>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  for (const directory of [layout.entries, layout.details, layout.hashes, layout.index])
    await disk.makeDirectory(directory);
  const heads = new HeadFile(layout.heads, disk);
  await heads.prepare();
  // What this start is refused by must refuse the next one too, also after a power cut.
  await syncGuard(layout, disk);
  const before = await heads.read();
  if (before === undefined) {
    const place = { place: layout.root, setting: 'audit_ledger.data_dir' };
    assertMayBegin(place, await storedCheckpoints(layout, disk), options);
  }
  const head = await takeOver(heads, before ?? EMPTY, options);
  // Now that nobody else can commit: a writer that had the log until here may have signed more than was there a moment ago.
  const guard = track(await GuardFile.take(layout, disk, Buffer.from(options.newEpochId).toString('hex')));
  const checkpoints = await storedCheckpoints(layout, disk);

  const pruned = await PrunedLog.open(layout, disk);

  const openLog = async (dir: string, durableEnd: Position, start: Position): Promise<SegmentLog> => {
    const { segmentBytes = SEGMENT_BYTES } = options;
    const limits = { maxSegmentBytes: segmentBytes, maxRecordBytes: MAX_RECORD_BYTES };
    const log = track(
      await SegmentLog.open({
        dir,
        ...limits,
        files: segmentFilesOn(disk),
        start,
        ...(head.commits === 0 ? {} : { durableEnd }),
      }),
    );
    if (head.commits === 0 && (await holdsHistory(log)))
      throw new TamperedStoreError(`${dir} holds entries, but the head is missing`);
    await log.truncate(durableEnd);
    return log;
  };
  const entries = await openLog(layout.entries, head.entriesEnd, pruned.state.leaves.entries);
  const details = await openLog(layout.details, head.detailsEnd, pruned.state.details.details);
  const commits = track(await CommitTable.open(layout.commits, head.commits, disk));
  const reader = new RecordReader(commits, entries, details, pruned);
  const index = new IndexStore(head.size, blockFiles(layout.index, disk), (from, to) => reader.leaves(from, to));

  const parts = { entries, details, commits, index, head, pruned: pruned.state };
  const rebuilt = await rebuild(parts, (size) => new HashColumns(layout.hashes, size, disk));
  await assertSameLog({ readEntries: (from, to) => reader.entries(from, to) }, head, options.verifier);
  const guarded = { place: layout.root, head, nodes: nodeReader(rebuilt.columns, head.size) };
  const lost = await compareWithGuards(guarded, checkpoints, options);
  const beside = { place: layout.guard, state: await guardState(layout, disk) };
  const unguarded = unguardedReason(guarded, beside, options);
  const window = await fillWindow(new EventWindow(), parts, options.nowUs);
  const release = (): Promise<void> => opened[0]?.close().then(() => undefined) ?? Promise.resolve();
  const store = new FileStore(
    { layout, disk, heads, guard, entries, details, commits, columns: rebuilt.columns, index, pruned, reader, release },
    head,
  );
  const { state, shadow, seals, recomputed } = rebuilt;
  return { store, state, shadow, window, seals, lost, unguarded, recomputed };
}

/** A new epoch before anything is changed: from here on a writer that still believes it owns the log commits nothing. */
async function takeOver(heads: HeadFile, before: FileHead, { newEpochId }: OpenOptions): Promise<FileHead> {
  const head = { ...before, generation: before.generation + 1, epoch: before.epoch + 1, batchId: newEpochId };
  await heads.swap(head);
  return head;
}

/** A crash before the first head leaves one record at most. */
async function holdsHistory(log: SegmentLog): Promise<boolean> {
  let records = 0;
  for await (const _ of log.read()) {
    records += 1;
    if (records > 1) return true;
  }
  return false;
}

const EMPTY: FileHead = { ...EMPTY_HEAD, entriesEnd: LOG_START, detailsEnd: LOG_START };
