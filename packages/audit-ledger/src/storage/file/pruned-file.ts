/**
 * How far a folder was pruned, where the records behind that begin, and which files hold what was kept. Its replacement is
 * the moment of a pruning: before it everything is still there, after it everything below the ends may be removed.
 */
import type { Position } from '@sentinel/service-kit/segment-log';
import { SEGMENT_HEADER } from '@sentinel/service-kit/segment-log';
import { canonicalJson } from '../../detail/canonical.js';
import { sha256 } from '../../tree/hash.js';
import { TamperedStoreError } from '../errors.js';
import { count } from '../head.js';
import { type Disk, nodeDisk } from './disk.js';
import { readWhole, writeSynced } from './files.js';
import type { Layout } from './layout.js';

/** The commit that holds the entry at `end`. */
export interface PrunedPlace {
  readonly end: number;
  readonly commit: number;
  readonly firstSeq: number;
  readonly entries: Position;
  readonly details: Position;
}

export interface PrunedState {
  readonly leaves: PrunedPlace;
  readonly details: PrunedPlace;
  /** Names of files, oldest entries first. */
  readonly keptLeaves: readonly string[];
  readonly keptDetails: readonly string[];
  /** Entries that announced it. */
  readonly prunings: readonly number[];
}

export const LOG_START: Position = { segment: 1, offset: SEGMENT_HEADER.length };
const START: PrunedPlace = { end: 0, commit: 0, firstSeq: 0, entries: LOG_START, details: LOG_START };
export const UNPRUNED: PrunedState = { leaves: START, details: START, keptLeaves: [], keptDetails: [], prunings: [] };

/** @throws TamperedStoreError where the file is damaged */
export async function readPruned({ pruned }: Layout, disk: Disk = nodeDisk): Promise<PrunedState> {
  const bytes = await readWhole(pruned, disk);
  if (bytes === undefined) return UNPRUNED;
  const [json = '', digest, end, ...rest] = bytes.toString('utf8').split('\n');
  if (digest !== digestOf(json) || end !== '' || rest.length > 0)
    throw new TamperedStoreError(`${pruned} does not match its digest`);
  return stateOf(JSON.parse(json) as { readonly [name: string]: unknown });
}

export async function writePruned({ pruned, root }: Layout, state: PrunedState, disk: Disk): Promise<void> {
  const json = canonicalJson({
    details: placeJson(state.details),
    kept_details: state.keptDetails,
    kept_leaves: state.keptLeaves,
    leaves: placeJson(state.leaves),
    prunings: state.prunings,
  });
  const draft = `${pruned}.tmp`;
  await disk.remove(draft);
  await writeSynced(disk, draft, `${json}\n${digestOf(json)}\n`, 0o640);
  await disk.rename(draft, pruned);
  await disk.syncDirectory(root);
}

function placeJson({ end, commit, firstSeq, entries, details }: PrunedPlace) {
  return { commit, details: { ...details }, end, entries: { ...entries }, first_seq: firstSeq };
}

function stateOf(value: { readonly [name: string]: unknown }): PrunedState {
  return {
    leaves: placeOf(record(value['leaves'])),
    details: placeOf(record(value['details'])),
    keptLeaves: names(value['kept_leaves']),
    keptDetails: names(value['kept_details']),
    prunings: Array.isArray(value['prunings']) ? value['prunings'].map(Number) : [],
  };
}

function placeOf(value: { readonly [name: string]: unknown }): PrunedPlace {
  return {
    end: count(value, 'end'),
    commit: count(value, 'commit'),
    firstSeq: count(value, 'first_seq'),
    entries: positionOf(record(value['entries'])),
    details: positionOf(record(value['details'])),
  };
}

function positionOf(value: { readonly [name: string]: unknown }): Position {
  return { segment: count(value, 'segment'), offset: count(value, 'offset') };
}

function record(value: unknown): { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as { readonly [name: string]: unknown }) : {};
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function digestOf(json: string): string {
  return sha256(Buffer.from(json)).toString('hex');
}
