/**
 * What a start makes again from the records: both paths' state, the tree's newest hashes, the newest index block, what no
 * seal covers yet and the recent event ids. Only the newest block of 65,536 entries is recomputed; what lies before it was
 * synced, and must lead to the head's root all the same.
 */
import type { Position, SegmentLog } from '@sentinel/service-kit/segment-log';
import { type ChainState, EMPTY_CHAIN } from '../../commit/build.js';
import { recomputeBatch, type ShadowState } from '../../commit/recompute.js';
import { detailPreimages, eachEntry, entryPreimages, MalformedRecordError, readHeader } from '../../commit/record.js';
import { COMMIT_PREFIX, SALT_BYTES } from '../../detail/commitment.js';
import { BLOCK_ENTRIES } from '../../index/block.js';
import type { IndexStore } from '../../index/index-store.js';
import { type EventWindow, GENERATION_ENTRIES, GENERATIONS } from '../../ingest/event-window.js';
import { EVENT_ID_BYTES, type Leaf, LeafType, LeafView } from '../../leaf/leaf.js';
import { SealTracker } from '../../seal/tracker.js';
import { NodeReader } from '../../tiles/node-reader.js';
import { Frontier } from '../../tree/frontier.js';
import { digestAt, HASH_BYTES, ZERO_HASH } from '../../tree/hash.js';
import { BrokenLinkError } from '../../verify/link.js';
import { TamperedStoreError } from '../errors.js';
import type { CommitTable } from './commit-table.js';
import { type HashColumns, ShortColumnError } from './hash-columns.js';
import type { FileHead } from './head-file.js';
import type { PrunedPlace, PrunedState } from './pruned-file.js';

const WINDOW_ENTRIES = GENERATIONS * GENERATION_ENTRIES;
/** Derived hashes held in memory while walking. */
const FLUSH_HASHES = 16_384;
const WINDOW_US = 7 * 24 * 3600 * 1e6;

export interface Sources {
  readonly head: FileHead;
  readonly entries: SegmentLog;
  readonly details: SegmentLog;
  readonly commits: CommitTable;
  readonly index: IndexStore;
  readonly pruned: PrunedState;
}

export interface Rebuilt {
  readonly columns: HashColumns;
  readonly state: ChainState;
  readonly shadow: ShadowState;
  readonly seals: SealTracker;
  readonly recomputed: number;
}

/** Where a walk over the records begins. */
interface Start {
  readonly commit: number;
  readonly entries: Position | undefined;
  readonly details: Position | undefined;
  readonly columns: HashColumns;
  readonly frontier: Frontier;
  readonly shadow: ShadowState;
}

/** @throws TamperedStoreError where the records do not lead to the head, not even from the first one */
export async function rebuild(sources: Sources, columnsOf: (size: number) => HashColumns): Promise<Rebuilt> {
  const start = await startNearEnd(sources, columnsOf);
  if (start !== undefined) {
    const rebuilt = await attempt(sources, start);
    if (!(rebuilt instanceof TamperedStoreError)) return rebuilt;
  }
  const whole = await attempt(sources, await startOfRecords(sources.pruned.details, columnsOf));
  if (whole instanceof TamperedStoreError) throw whole;
  return whole;
}

/** The oldest entry whose detail is there: what lies before has to be believed, up to the root of the head. */
async function startOfRecords(
  { commit, firstSeq: size, entries, details }: PrunedPlace,
  columnsOf: (size: number) => HashColumns,
): Promise<Start> {
  return { commit, entries, details, ...(await treeOf(columnsOf(size), size)) };
}

/** @throws TamperedStoreError where the columns are too short */
async function treeOf(columns: HashColumns, size: number): Promise<Pick<Start, 'columns' | 'frontier' | 'shadow'>> {
  const [subtrees, chainHead] = await Promise.all([
    nodeReader(columns, size).subtrees(size),
    size === 0 ? ZERO_HASH : columns.readHashes(0, size - 1, 1),
  ]).catch((error: unknown) => {
    if (error instanceof ShortColumnError) throw new TamperedStoreError(`${error.message}; restore it from a copy`);
    throw error;
  });
  return {
    columns,
    frontier: Frontier.fromSubtrees(subtrees),
    shadow: { size, chainHead, receivedUs: 0, subtrees },
  };
}

/** Undefined where the derived files cannot be relied on. */
async function startNearEnd(
  { head, commits, entries, pruned }: Sources,
  columnsOf: (size: number) => HashColumns,
): Promise<Start | undefined> {
  const block = Math.floor(head.size / BLOCK_ENTRIES) * BLOCK_ENTRIES;
  if (block <= pruned.details.end) return undefined;
  try {
    const commit = Math.max(Math.min(await commits.find(block), head.firstUnsealedCommit), pruned.details.commit);
    const row = await commits.row(commit);
    if (row === undefined || row.firstSeq === 0 || row.firstSeq > block) return undefined;
    const header = readHeader(await entries.readAt(row.entries));
    if (header.commit !== commit || header.firstSeq !== row.firstSeq) return undefined;
    const size = row.firstSeq;
    return { commit, entries: row.entries, details: row.details, ...(await treeOf(columnsOf(size), size)) };
  } catch {
    return undefined;
  }
}

export function nodeReader(columns: HashColumns, size: number): NodeReader {
  return new NodeReader(async (tile) => {
    const bytes = await columns.read(tile);
    if (bytes === undefined) throw new TamperedStoreError(`tree has no tile ${tile.level}/${tile.index}`);
    return bytes;
  }, size);
}

async function attempt(sources: Sources, start: Start): Promise<Rebuilt | TamperedStoreError> {
  try {
    return await walk(sources, start);
  } catch (error) {
    const broken =
      error instanceof BrokenLinkError || error instanceof MalformedRecordError || error instanceof TamperedStoreError;
    if (!broken) throw error;
    return new TamperedStoreError(`${error.message}; run sentinel-audit-ledger verify --full`);
  }
}

async function walk({ head, entries, details, commits, index }: Sources, start: Start): Promise<Rebuilt> {
  const { columns, frontier } = start;
  const seals = new SealTracker();
  let { shadow } = start;
  let root = start.frontier.root() as Uint8Array;
  let commit = start.commit;
  await commits.beginAt(commit);
  await index.fill(shadow.size);
  const detailRecords = details.read(start.details);
  for await (const { position, record } of entries.read(start.entries)) {
    const detail = await detailRecords.next();
    if (detail.done === true) throw new TamperedStoreError(`details of commit ${commit} are missing`);
    const { position: detailAt, record: detailRecord } = detail.value;
    const header = readHeader(record);
    if (header.commit !== commit) throw new TamperedStoreError(`commit ${commit} is missing`);
    const batch = recomputeBatch(shadow, record, detailRecord);
    const leaves = entryPreimages(record).map((preimage) => new LeafView(preimage, 1));
    extendTree(columns, frontier, batch.columns);
    leaves.forEach((leaf, i) => {
      index.add(header.firstSeq + i, leaf, commit);
    });
    commits.append({ firstSeq: header.firstSeq, entries: position, details: detailAt });
    if (commit >= head.firstUnsealedCommit) {
      const types = leaves.map(({ type }) => type);
      const onlySeal = isSeal(leaves, detailPreimages(detailRecord));
      seals.add({ commit, firstSeq: header.firstSeq, types, batchRoot: batch.batchRoot, onlySeal });
    }
    shadow = batch.next;
    root = batch.root;
    commit += 1;
    if (columns.unwritten >= FLUSH_HASHES) await Promise.all([columns.flush(), commits.flush()]);
  }
  await Promise.all([columns.flush(), commits.flush()]);
  await detailRecords.return(undefined);
  assertHead(head, commit, shadow, root, frontier);
  await index.flush();
  const state =
    head.size === 0 ? EMPTY_CHAIN : { chainHead: Buffer.from(shadow.chainHead), receivedUs: head.receivedUs, frontier };
  return {
    columns,
    state,
    shadow: { ...shadow, receivedUs: head.receivedUs },
    seals,
    recomputed: shadow.size - start.shadow.size,
  };
}

function extendTree(columns: HashColumns, frontier: Frontier, added: readonly Buffer[]): void {
  const [hashes = Buffer.alloc(0)] = added;
  for (let at = 0; at < hashes.length; at += HASH_BYTES) frontier.append(digestAt(hashes, at));
  columns.append(frontier.size, added);
}

function assertHead(head: FileHead, commits: number, shadow: ShadowState, root: Uint8Array, frontier: Frontier): void {
  const same =
    commits === head.commits &&
    shadow.size === head.size &&
    Buffer.compare(shadow.chainHead, head.chainHead) === 0 &&
    Buffer.compare(root, head.root) === 0 &&
    Buffer.compare(frontier.root(), head.root) === 0;
  if (!same)
    throw new TamperedStoreError(`the ${shadow.size} stored entries are not the ${head.size} that were committed`);
}

function isSeal(leaves: readonly Leaf[], details: readonly Uint8Array[]): boolean {
  const [leaf, detail] = [leaves[0], details[0]];
  if (leaves.length !== 1 || leaf?.type !== LeafType.system || detail?.[0] !== COMMIT_PREFIX) return false;
  const { event } = JSON.parse(Buffer.from(detail.subarray(1 + SALT_BYTES)).toString('utf8')) as { event?: unknown };
  return event === 'seal';
}

/** Event ids of the newest entries, as far as the window reaches. */
export async function fillWindow(
  window: EventWindow,
  { head, commits, entries, pruned }: Sources,
  nowUs: number,
): Promise<EventWindow> {
  const first = Math.max(pruned.leaves.end, head.size - WINDOW_ENTRIES);
  const row = head.size === 0 ? undefined : await commits.row(await commits.find(first));
  for await (const { record } of entries.read(row?.entries)) {
    let seq = readHeader(record).firstSeq;
    eachEntry(record, (start, end) => {
      if (end - start < SHORTEST) throw new MalformedRecordError(`entry ${seq} is too short`);
      const leaf = start + 1;
      if (uint53At(record, leaf + RECEIVED_US_AT) >= nowUs - WINDOW_US) window.add(record, seq, leaf + EVENT_ID_AT);
      seq += 1;
    });
  }
  return window;
}

/** Fields of a leaf at fixed places, read without decoding the rest: a start reads a million of them. */
const RECEIVED_US_AT = 12;
const EVENT_ID_AT = 28;
const SHORTEST = 1 + EVENT_ID_AT + EVENT_ID_BYTES;

function uint53At(record: Buffer, at: number): number {
  return record.readUInt32BE(at) * 2 ** 32 + record.readUInt32BE(at + 4);
}
