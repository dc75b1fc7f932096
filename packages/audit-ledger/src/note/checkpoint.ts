/** C2SP tlog-checkpoint: origin, decimal size, base64 root, then optional extension lines, as a signed note. */
import { HASH_BYTES } from '../tree/hash.js';
import { decodeBase64 } from './base64.js';
import type { SigningKey, VerifierKey } from './keys.js';
import { NoteError, openNote, signNote } from './note.js';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export function checkpointBody({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Ed25519 is deterministic: the same checkpoint under the same key is the same note. */
export function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): string {
  return signNote(checkpointBody(checkpoint), key);
}

/** Throws NoteError unless the note is signed by `key` and speaks for the log that `key` is named after. */
export function openCheckpoint(note: string | Uint8Array, key: VerifierKey): Checkpoint {
  const checkpoint = parseCheckpointBody(openNote(note, key));
  if (checkpoint.origin !== key.name)
    throw new NoteError(`checkpoint is of log ${checkpoint.origin}, not of ${key.name}`);
  return checkpoint;
}

export function parseCheckpointBody(body: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...rest] = body.split('\n');
  const root = decodeBase64(rootText);
  const size = Number(sizeText);
  // What follows the root is extension lines, none of them empty, and the end of the last line.
  const endsWell = rest.at(-1) === '' && rest.slice(0, -1).every((line) => line !== '');
  if (origin === '' || !endsWell) throw new NoteError('checkpoint body is malformed');
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size))
    throw new NoteError('checkpoint size is malformed');
  if (root === null || root.length !== HASH_BYTES) throw new NoteError('checkpoint root is malformed');
  return { origin, size, root };
}
