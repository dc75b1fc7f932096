/** Entries of one kind that the head leads to, newest first: each names the one before it. */
import { SALT_BYTES } from '../detail/commitment.js';
import { decodeLeaf } from '../leaf/leaf.js';
import type { Head, Landmark } from '../storage/head.js';
import type { LedgerStore } from '../storage/store.js';
import { type Pruned, type Pruning, pruningOf } from './pruning.js';
import { isSubset } from './scope.js';

export interface Recorded {
  readonly seq: number;
  /** Ledger clock. */
  readonly receivedUs: number;
  readonly detail: { readonly [name: string]: unknown };
}

/** What the log itself says was pruned, or is being pruned, in entries before `end`. */
export async function readPruned(store: LandmarkReads, end = Number.POSITIVE_INFINITY): Promise<Pruned> {
  const prunings: Pruning[] = [];
  for await (const { seq, detail } of recordedOf(store, 'prune')) {
    const pruning = seq < end ? pruningOf(seq, detail) : undefined;
    if (pruning === undefined || prunings.some(({ scopes }) => isSubset(scopes, pruning.scopes))) continue;
    prunings.unshift(pruning);
    // Whatever was pruned before, this one speaks for.
    if (pruning.scopes.length === 0) break;
  }
  const { leaves = 0, details = 0 } = prunings.at(-1) ?? {};
  return { leaves, details, prunings: prunings.map(({ seq }) => seq) };
}

/** Entry in which a key of the log handed over to the next. */
export interface RecordedRotation {
  readonly seq: number;
  /** Signed by both keys. */
  readonly note: string;
}

/** Oldest first. */
export async function readRotations(store: LandmarkReads): Promise<RecordedRotation[]> {
  const rotations: RecordedRotation[] = [];
  for await (const { seq, detail } of recordedOf(store, 'key_rotation'))
    rotations.unshift({ seq, note: String(detail['note']) });
  return rotations;
}

export type LandmarkReads = Pick<LedgerStore, 'readEntries'> & { readonly head: Pick<Head, 'landmarks'> };

export async function* recordedOf(store: LandmarkReads, kind: Landmark): AsyncGenerator<Recorded> {
  for (let seq = store.head.landmarks[kind]; seq !== undefined; ) {
    const recorded = await recordedAt(store, seq);
    yield recorded;
    const { previous } = recorded.detail;
    // An entry of a log that was cut off would lead nowhere, or round in circles.
    seq = typeof previous === 'number' && previous < seq ? previous : undefined;
  }
}

export async function recordedAt(store: Pick<LedgerStore, 'readEntries'>, seq: number): Promise<Recorded> {
  const [entry] = await store.readEntries(seq, seq + 1);
  if (entry?.detailPreimage === undefined) throw new Error(`entry ${seq}, which the head names, is not there`);
  const text = Buffer.from(entry.detailPreimage.subarray(1 + SALT_BYTES)).toString('utf8');
  const detail = JSON.parse(text) as { readonly [name: string]: unknown };
  return { seq, receivedUs: decodeLeaf(entry.leaf).receivedUs, detail };
}
