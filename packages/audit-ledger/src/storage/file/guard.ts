/** The checkpoints of a folder: one in it, one beside it. */
import { dirname } from 'node:path';
import type { GuardNote } from '../guard.js';
import type { Disk } from './disk.js';
import { orUndefined } from './errno.js';
import { readWhole } from './files.js';
import type { Layout } from './layout.js';

/** The checkpoint beside a folder, where there is one. */
export async function checkpointBeside({ guard }: Layout): Promise<string[]> {
  const note = await readWhole(guard);
  return note === undefined || note.length === 0 ? [] : [note.toString('utf8')];
}

/** What lies beside the folder. */
export async function guardState({ guard }: Layout, disk: Disk): Promise<'there' | 'empty' | 'missing'> {
  const note = await readWhole(guard, disk);
  if (note === undefined) return 'missing';
  return note.length === 0 ? 'empty' : 'there';
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

/** What lies beside the folder survives a power cut from here on. */
export async function syncGuard({ guard }: Layout, disk: Disk): Promise<void> {
  const file = await orUndefined(disk.open(guard, 'r'));
  if (file === undefined) return;
  await file.sync().finally(() => file.close());
  await disk.syncDirectory(dirname(guard));
}
