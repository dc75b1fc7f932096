/** C2SP signed-note: text, an empty line, signature lines. */
import { isUtf8 } from 'node:buffer';
import { decodeBase64 } from './base64.js';
import type { SigningKey, VerifierKey } from './keys.js';

/** Far above what a checkpoint with witnesses needs; a longer note is an attack on the reader. */
export const MAX_NOTE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 100;
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) (\S+)$/u;

export class NoteError extends Error {
  override readonly name = 'NoteError';
}

interface Signature {
  readonly name: string;
  readonly id: Buffer;
  readonly signature: Buffer;
}

/** `text` must end in a newline. */
export function signNote(text: string, key: SigningKey): string {
  const message = Buffer.from(text, 'utf8');
  const lines = [key, ...(key.cosigners ?? [])].map((signer) => signatureLine(signer, message));
  return `${text}\n${lines.join('')}`;
}

function signatureLine({ verifier, sign }: SigningKey, message: Buffer): string {
  return `\u2014 ${verifier.name} ${Buffer.concat([verifier.id, sign(message)]).toString('base64')}\n`;
}

/**
 * The signed text, once `key` is found to have signed it. Signatures of other keys (witnesses) are ignored; one under
 * this key's name and id that does not verify spoils the note.
 */
export function openNote(note: string | Uint8Array, key: VerifierKey): string {
  const { text, signatures } = parseNote(note);
  const ours = signatures.filter((each) => each.name === key.name && Buffer.compare(each.id, key.id) === 0);
  if (ours.length === 0) throw new NoteError(`note carries no signature by ${key.name}`);
  const message = Buffer.from(text, 'utf8');
  if (!ours.every((each) => key.verify(message, each.signature)))
    throw new NoteError(`signature by ${key.name} does not verify`);
  return text;
}

export function parseNote(note: string | Uint8Array): { text: string; signatures: Signature[] } {
  const bytes = Buffer.from(note);
  if (bytes.length > MAX_NOTE_BYTES) throw new NoteError(`note is longer than ${MAX_NOTE_BYTES} bytes`);
  const whole = bytes.toString('utf8');
  if (!isUtf8(bytes) || hasControlCharacter(whole))
    throw new NoteError('note holds bytes that are not printable UTF-8');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0 || !whole.endsWith('\n')) throw new NoteError('note has no signature block');
  const lines = whole.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new NoteError(`note carries more than ${MAX_SIGNATURES} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): Signature {
  const match = SIGNATURE_LINE.exec(line);
  const bytes = decodeBase64(match?.[2] ?? '');
  if (match === null || bytes === null || bytes.length < 5) throw new NoteError('note has a malformed signature line');
  return { name: match[1] ?? '', id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}
