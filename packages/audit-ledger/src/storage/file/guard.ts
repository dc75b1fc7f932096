/** The checkpoints of a folder: one in it, one beside it. */
import { type Checkpoint, openCheckpoint } from '../../note/checkpoint.js';
import type { VerifierKey } from '../../note/keys.js';
import type { GuardNote } from '../guard.js';
import type { Disk } from './disk.js';
import { readWhole } from './files.js';
import type { Layout } from './layout.js';

/** The checkpoint beside a folder; undefined where there is none. @throws NoteError where it is not one by `verifier` */
export async function checkpointBeside({ guard }: Layout, verifier: VerifierKey): Promise<Checkpoint | undefined> {
  const note = await readWhole(guard);
  return note === undefined || note.length === 0 ? undefined : openCheckpoint(note, verifier);
}

/** Both, as far as they are there. A power cut may leave an empty file: what it said is not known, and the other place remains. */
export async function storedCheckpoints({ checkpoint, guard }: Layout, disk: Disk): Promise<GuardNote[]> {
  const notes: GuardNote[] = [];
  for (const place of [checkpoint, guard]) {
    const note = await readWhole(place, disk);
    if (note !== undefined && note.length > 0) notes.push({ place, note });
  }
  return notes;
}
