/** What entries of a log say of it, found from its head: what was pruned, and how its keys followed each other. */
import { type LandmarkReads, readPruned, readRotations } from '../../retention/chain.js';
import type { Pruned } from '../../retention/pruning.js';
import { type ClaimedPruned, NOTHING_PRUNED, type Opening, StoredOpening } from '../../verify/source.js';
import { type Head, MalformedHeadError } from '../head.js';
import { HeadRow } from './head-row.js';
import type { LogRows } from './log-rows.js';
import { ScyllaReads } from './scylla-reads.js';

type Landmarked = Pick<Head, 'landmarks' | 'size'>;

export async function prunedIn(rows: LogRows, head: Landmarked): Promise<Pruned> {
  return await readPruned(readsOf(rows, head));
}

/** The same for whoever believes nothing, up to a signed `size`: the head may be ahead of it. A damaged head is found out elsewhere. */
export async function claimedIn(rows: LogRows, size: number): Promise<ClaimedPruned> {
  const reads = await fromHead(rows);
  if (reads === undefined) return NOTHING_PRUNED;
  const { leaves, details, prunings } = await readPruned(reads, size);
  return { leaves, details, announced: await openingsAt(reads, prunings) };
}

export async function rotationsIn(rows: LogRows): Promise<readonly Opening[]> {
  const reads = await fromHead(rows);
  if (reads === undefined) return [];
  const rotations = await readRotations(reads);
  return await openingsAt(
    reads,
    rotations.map(({ seq }) => seq),
  );
}

async function openingsAt(reads: LandmarkReads, seqs: readonly number[]): Promise<Opening[]> {
  const openings: Opening[] = [];
  for (const seq of seqs) {
    const [entry] = await reads.readEntries(seq, seq + 1);
    const bytes = entry?.detailPreimage;
    if (bytes !== undefined) openings.push(new StoredOpening(seq, bytes));
  }
  return openings;
}

async function fromHead(rows: LogRows): Promise<LandmarkReads | undefined> {
  try {
    const stored = await new HeadRow(rows.cluster, rows.log).read();
    return stored && readsOf(rows, stored.head);
  } catch (error) {
    if (error instanceof MalformedHeadError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Of the ledger's own entries, which no pruning takes. */
function readsOf(rows: LogRows, head: Landmarked): LandmarkReads {
  const query = () => Promise.reject(new Error('nothing is looked up here'));
  const anything: Pruned = { leaves: 0, details: head.size, prunings: [] };
  const reads = new ScyllaReads(
    rows,
    { query },
    () => head.size,
    () => anything,
  );
  return { head, readEntries: (from, to) => reads.readEntries(from, to) };
}
