/**
 * Whom a reader believes: the key that it was given, and those that the log was handed over to since. A hand-over is signed by
 * both keys, stands in the log that the next key signs, and that log extends what the reader saw under the key before.
 */
import { SALT_BYTES } from '../detail/commitment.js';
import { LeafView } from '../leaf/leaf.js';
import { type Checkpoint, parseCheckpointBody } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { parseNote } from '../note/note.js';
import { followRotations, isCosigned, linkedKeys, openByAny } from '../note/rotation.js';
import { type RecordedRotation, readRotations } from '../retention/chain.js';
import type { FollowedLog } from '../storage/backend.js';
import type { LogReads } from '../storage/store.js';
import { isRotation, rotationOf } from '../verify/followed-key.js';
import { UnverifiableError } from './verified-tree.js';

/** A key, and the hand-overs from the key that is believed to it, which are not proved yet. */
export interface Candidate {
  readonly key: VerifierKey;
  readonly by: readonly RecordedRotation[];
}

/** Key that is to have signed a checkpoint which comes after those of `current`. @throws NoteError where the note is none */
export async function candidateFor(note: string, current: VerifierKey, log: FollowedLog): Promise<Candidate> {
  if (!isCosigned(note, current)) return { key: current, by: [] };
  const { size } = parseCheckpointBody(parseNote(note).text);
  return followRotations(current, await claimedRotations(log, size));
}

/** What the log says of its keys below `size`, oldest first. Not believed: see `assertHandedOver`. */
export async function claimedRotations(log: FollowedLog, size: number): Promise<RecordedRotation[]> {
  const landmarks = await log.landmarks();
  const newest = landmarks.key_rotation;
  if (newest === undefined) return [];
  const reads = await log.readsAt(Math.max(size, newest + 1));
  const rotations = await readRotations({
    readEntries: (from, to) => reads.readEntries(from, to),
    head: { landmarks },
  });
  return rotations.filter(({ seq }) => seq < size);
}

/** @param reads verified under the checkpoint that the last key signed. @throws UnverifiableError */
export async function assertHandedOver(by: readonly RecordedRotation[], reads: LogReads): Promise<void> {
  for (const { seq, note } of by) {
    const [entry] = await reads.readEntries(seq, seq + 1);
    const preimage = entry?.detailPreimage ?? Buffer.alloc(0);
    const opening = { seq, salt: preimage.subarray(1, 1 + SALT_BYTES), detail: preimage.subarray(1 + SALT_BYTES) };
    const holds =
      entry !== undefined && isRotation(new LeafView(entry.leaf), opening) && rotationOf(opening).note === note;
    if (!holds) throw new UnverifiableError(`entry ${seq} does not hand the log over to another key`);
  }
}

/** A checkpoint that was verified once, by a key before or after `key`. @throws NoteError */
export function openKept(note: string, key: VerifierKey, rotations: readonly RecordedRotation[]): Checkpoint {
  return openByAny(note, linkedKeys(key, rotations));
}
