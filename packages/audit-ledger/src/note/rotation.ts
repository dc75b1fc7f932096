/**
 * A key hands a log over to the next: a signed note that both of them signed, and so nobody who has but one. Whoever pinned the
 * old key learns the new one from it, and from nothing else.
 */
import { MalformedKeyError, parseVerifierKey, type SigningKey, type VerifierKey } from './keys.js';
import { NoteError, openNote, signNote } from './note.js';

const HEADER = 'sentinel key rotation 1';

/** From `size` entries on, checkpoints are signed by `to`. */
export function signRotation(from: SigningKey, to: SigningKey, size: number): string {
  const text = `${HEADER}\n${from.verifier.name}\n${size}\n${from.verifier.text}\n${to.verifier.text}\n`;
  return signNote(text, { ...to, cosigners: [from] });
}

/** The key that `from` handed over to. @throws NoteError where the note is no such thing */
export function openRotation(note: string, from: VerifierKey): VerifierKey {
  const [header, origin, , oldKey, newKey = ''] = openNote(note, from).split('\n');
  if (header !== HEADER || origin !== from.name || oldKey !== from.text)
    throw new NoteError('note is no rotation of this key');
  const to = parsed(newKey);
  if (to.name !== from.name) throw new NoteError('a rotation does not change the name of the log');
  openNote(note, to);
  return to;
}

/** The newest key that the pinned one leads to. `notes`: as a log gives them, oldest first; not believed. */
export function followRotations(pinned: VerifierKey, notes: readonly string[]): VerifierKey {
  let key = pinned;
  for (const note of notes) {
    try {
      key = openRotation(note, key);
    } catch (error) {
      // One that speaks of keys before the pinned one.
      if (!(error instanceof NoteError)) throw error;
    }
  }
  return key;
}

function parsed(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (error instanceof MalformedKeyError) throw new NoteError(error.message);
    throw error;
  }
}
