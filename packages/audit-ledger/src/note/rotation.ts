/**
 * A key hands a log over to the next: a signed note that both of them signed, and so nobody who has but one. Whoever pinned the
 * old key learns the new one from it, and from nothing else.
 */
import { type Checkpoint, openCheckpoint } from './checkpoint.js';
import { MalformedKeyError, parseVerifierKey, type SigningKey, type VerifierKey } from './keys.js';
import { NoteError, openNote, parseNote, signNote } from './note.js';

const HEADER = 'sentinel key rotation 1';

/** From `size` entries on, checkpoints are signed by `to`. */
export function signRotation(from: SigningKey, to: SigningKey, size: number): string {
  const text = `${HEADER}\n${from.verifier.name}\n${size}\n${from.verifier.text}\n${to.verifier.text}\n`;
  return signNote(text, { ...to, cosigners: [from] });
}

/** The key that `from` handed over to. @throws NoteError where the note is no such thing */
export function openRotation(note: string, from: VerifierKey): VerifierKey {
  const { header, oldKey, newKey } = linesOf(openNote(note, from));
  if (header !== HEADER || oldKey !== from.text) throw new NoteError('note is no rotation of this key');
  const to = parsed(newKey);
  if (to.name !== from.name) throw new NoteError('a rotation does not change the name of the log');
  openNote(note, to);
  return to;
}

/** The key that handed over to `to`. @throws NoteError where the note is no such thing */
function openBackwards(note: string, to: VerifierKey): VerifierKey {
  const from = parsed(linesOf(openNote(note, to)).oldKey);
  if (openRotation(note, from).text !== to.text) throw new NoteError('note is no rotation to this key');
  return from;
}

/** The newest key that the pinned one leads to, and the notes that lead there. `notes`: oldest first; not believed. */
export function followRotations<T extends { readonly note: string }>(
  pinned: VerifierKey,
  notes: readonly T[],
): { readonly key: VerifierKey; readonly by: readonly T[] } {
  let key = pinned;
  const by: T[] = [];
  for (const each of notes) {
    // What does not open speaks of keys before the pinned one, or is forged.
    const next = orUndefined(() => openRotation(each.note, key));
    if (next === undefined) continue;
    key = next;
    by.push(each);
  }
  return { key, by };
}

/** Keys that signed the log before or after `key`, and itself: what both keys of a note signed binds either to the other. */
export function linkedKeys(key: VerifierKey, notes: readonly { readonly note: string }[]): readonly VerifierKey[] {
  const before = chained(notes.toReversed(), key, openBackwards);
  return [key, ...before, ...chained(notes, key, openRotation)];
}

function chained(
  notes: readonly { readonly note: string }[],
  from: VerifierKey,
  open: (note: string, key: VerifierKey) => VerifierKey,
): VerifierKey[] {
  const keys: VerifierKey[] = [];
  for (const { note } of notes) {
    const next = orUndefined(() => open(note, keys.at(-1) ?? from));
    if (next !== undefined) keys.push(next);
  }
  return keys;
}

/** A checkpoint that one of the keys signed. @throws NoteError what the first key says where none did */
export function openByAny(note: string, keys: readonly VerifierKey[]): Checkpoint {
  let failure = new NoteError('there is no key to open the checkpoint by');
  for (const [i, key] of keys.entries()) {
    try {
      return openCheckpoint(note, key);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      if (i === 0) failure = error;
    }
  }
  throw failure;
}

/** Whether another key under the name of this one signed a note: then the log may have been handed over. */
export function isCosigned(note: string, { name, id }: VerifierKey): boolean {
  return parseNote(note).signatures.some((each) => each.name === name && Buffer.compare(each.id, id) !== 0);
}

function linesOf(text: string): { readonly header: string; readonly oldKey: string; readonly newKey: string } {
  const [header = '', , , oldKey = '', newKey = ''] = text.split('\n');
  return { header, oldKey, newKey };
}

function orUndefined<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

function parsed(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (error instanceof MalformedKeyError) throw new NoteError(error.message);
    throw error;
  }
}
