/** Entries of one kind that the head leads to, newest first: each names the one before it. */
import { SALT_BYTES } from '../detail/commitment.js';
import { decodeLeaf } from '../leaf/leaf.js';
import type { Head, Landmark } from '../storage/head.js';
import type { LedgerStore } from '../storage/store.js';

export interface Recorded {
  readonly seq: number;
  /** Ledger clock. */
  readonly receivedUs: number;
  readonly detail: { readonly [name: string]: unknown };
}

/** What keys of the log handed over to which, as signed notes, oldest first. */
export async function readRotations(store: LandmarkReads): Promise<string[]> {
  const notes: string[] = [];
  for await (const { detail } of recordedOf(store, 'key_rotation')) notes.unshift(String(detail['note']));
  return notes;
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
