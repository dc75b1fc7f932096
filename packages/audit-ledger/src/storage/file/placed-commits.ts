/**
 * Walks the commits of a folder of which some are damaged, and says where the records of each lie: behind those of the commit
 * before, or, where a damaged length hides that, where the commit table says.
 */
import { FRAME_HEADER_BYTES, type Position, SEGMENT_HEADER } from '@sentinel/service-kit/segment-log';
import { MalformedRecordError, readHeader } from '../../commit/record.js';
import type { CommitTable } from './commit-table.js';
import type { PrunedState } from './pruned-file.js';
import type { FrameHead, StoredFrames } from './stored-frames.js';

export interface PlacedCommit {
  readonly commit: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly entries: FrameHead;
  /** Undefined where they are pruned. */
  readonly details: FrameHead | undefined;
}

export interface CommitLogs {
  readonly entries: StoredFrames;
  readonly details: StoredFrames;
  readonly table: CommitTable | undefined;
}

/** Commits from where the folder's records begin, as far as entry `size`. */
export async function* placedCommits(
  { entries, details, table }: CommitLogs,
  { leaves, details: prunedDetails }: PrunedState,
  size: number,
): AsyncGenerator<PlacedCommit> {
  let next = { entries: leaves.entries, details: prunedDetails.details };
  let firstSeq = leaves.firstSeq;
  for (let commit = leaves.commit; firstSeq < size; commit += 1) {
    const row = await table?.row(commit);
    const following = await table?.row(commit + 1);
    const found = await locate(entries, commit, next.entries, row?.entries);
    const detail =
      commit < prunedDetails.commit ? undefined : await locate(details, commit, next.details, row?.details);
    const count = countOf(commit, firstSeq, size, [found, detail], following?.firstSeq);
    if (count === undefined) return;
    yield { commit, firstSeq, count, entries: found, details: detail };
    next = {
      entries: await endOf(entries, found, commit, following?.entries),
      details: detail === undefined ? next.details : await endOf(details, detail, commit, following?.details),
    };
    firstSeq += count;
  }
}

/** The places in question, the likeliest first; the one whose record says that it is of this commit. */
async function locate(
  frames: StoredFrames,
  commit: number,
  next: Position,
  row: Position | undefined,
): Promise<FrameHead> {
  const rolled: Position = { segment: next.segment + 1, offset: SEGMENT_HEADER.length };
  const places = [next, ...(row === undefined ? [] : [row]), rolled];
  const heads: FrameHead[] = [];
  for (const place of places) {
    const head = await frames.head(place);
    if (headerOf(head.header)?.commit === commit) return head;
    heads.push(head);
  }
  // Nothing says so: a row that agrees with one of the two others is right, and where none does the record before ends here.
  const agreed = heads.find(({ position }) => row !== undefined && position !== row && same(position, row));
  return agreed ?? heads.find(({ header }) => header.length > 0) ?? (heads[0] as FrameHead);
}

function countOf(
  commit: number,
  firstSeq: number,
  size: number,
  heads: readonly (FrameHead | undefined)[],
  followingFirst: number | undefined,
): number | undefined {
  const stated = heads.flatMap((head) => {
    const header = head && headerOf(head.header);
    const fits = header?.commit === commit || header?.firstSeq === firstSeq;
    return header !== undefined && fits ? [header.count] : [];
  });
  const byTable = followingFirst === undefined ? [] : [followingFirst - firstSeq];
  const votes = [...stated, ...byTable, size - firstSeq].filter((count) => count > 0 && firstSeq + count <= size);
  return votes.find((vote, i) => votes.indexOf(vote) !== i) ?? votes[0];
}

/** The following record's place by the table, where its record says so or this one cannot; else what this frame states. */
async function endOf(
  frames: StoredFrames,
  head: FrameHead,
  commit: number,
  following: Position | undefined,
): Promise<Position> {
  const { segment, offset } = head.position;
  const stated = { segment, offset: offset + FRAME_HEADER_BYTES + head.length };
  if (following === undefined || same(stated, following)) return stated;
  const isNext = headerOf((await frames.head(following)).header)?.commit === commit + 1;
  return isNext || headerOf(head.header)?.commit !== commit ? following : stated;
}

function headerOf(bytes: Buffer) {
  try {
    return readHeader(bytes);
  } catch (error) {
    if (error instanceof MalformedRecordError) return undefined;
    throw error;
  }
}

function same(a: Position, b: Position): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}
