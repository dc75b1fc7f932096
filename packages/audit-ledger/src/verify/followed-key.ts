/** From a key that somebody pinned to the key that signs the log today, by entries of the log in which one hands over to the next. */
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { commitmentPreimage } from '../detail/commitment.js';
import { LeafType, type LeafView } from '../leaf/leaf.js';
import { type Checkpoint, openCheckpoint, parseCheckpointBody } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError, parseNote } from '../note/note.js';
import { followRotations } from '../note/rotation.js';
import { isDetailOf } from './link.js';
import { type ProvedEntry, provedEntry } from './proved-entry.js';
import type { LogSource, Opening } from './source.js';

/** An entry that hands the log over to the next key, as a source claims it. */
export interface Rotation extends Opening {
  /** Signed by both keys. */
  readonly note: string;
}

/** The same, proved to be in the tree of a checkpoint that the next key, or one after it, signed. */
export interface ProvedRotation extends Rotation {
  readonly entry: ProvedEntry;
}

export interface FollowedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Key that signed it: the pinned one, or what that handed over to. */
  readonly key: VerifierKey;
  /** The entries by which it did, oldest first. */
  readonly rotations: readonly ProvedRotation[];
}

/**
 * Opens a checkpoint of `source` by what the pinned key leads to. Each hand-over is signed by both of its keys and stands in the
 * very log that the last of them signs.
 * @throws NoteError where the checkpoint is not signed by that key, or the log does not hold an entry that leads to it
 */
export async function followCheckpoint(
  note: string,
  source: LogSource,
  pinned: VerifierKey,
): Promise<FollowedCheckpoint> {
  const { size } = parseCheckpointBody(parseNote(note).text);
  const { key, by } = followRotations(pinned, await claimedRotations(source, size));
  const checkpoint = openCheckpoint(note, key);
  return { checkpoint, key, rotations: await proveRotations(by, checkpoint, source) };
}

/** What a source says of its keys below `size`, oldest first. */
export async function claimedRotations(source: LogSource, size = Number.POSITIVE_INFINITY): Promise<Rotation[]> {
  return ((await source.rotations?.()) ?? []).filter(({ seq }) => seq < size).map(rotationOf);
}

/** @throws NoteError where one of them is not in the log */
export async function proveRotations(
  claimed: readonly Rotation[],
  checkpoint: Checkpoint,
  source: LogSource,
): Promise<ProvedRotation[]> {
  const prunedLeaves = claimed.length === 0 ? 0 : ((await source.pruned?.())?.leaves ?? 0);
  const proved: ProvedRotation[] = [];
  for (const each of claimed) {
    const entry = await provedEntry(each.seq, checkpoint, source, prunedLeaves);
    if (entry === undefined || !isRotation(entry.leaf, each))
      throw new NoteError(`the log does not hold entry ${each.seq}, by which it is said to have been handed over`);
    proved.push({ ...each, entry });
  }
  return proved;
}

export function rotationOf(opening: Opening): Rotation {
  const { seq, salt, detail } = opening;
  return { seq, salt, detail, note: noteIn(detail) };
}

/** Whether a leaf is the ledger's own, and committed to the detail that is given as its. */
export function isRotation(leaf: LeafView, { seq, salt, detail }: Opening): boolean {
  if (leaf.seq !== seq || leaf.type !== LeafType.system || leaf.producer !== LEDGER_PRODUCER) return false;
  return isDetailOf(leaf, commitmentPreimage(salt, detail));
}

/** '' where the detail is no rotation. */
function noteIn(detail: Uint8Array): string {
  try {
    const { event, note } = JSON.parse(Buffer.from(detail).toString('utf8')) as { [name: string]: unknown };
    return event === 'key_rotation' && typeof note === 'string' ? note : '';
  } catch {
    return '';
  }
}
