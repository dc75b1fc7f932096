/**
 * How keys of the log handed over to the next, in an export: whoever pinned any of them comes to the key that signed the checkpoint.
 * Each line is an entry with its detail and its inclusion proof under that checkpoint.
 */

import { SALT_BYTES } from '../detail/commitment.js';
import { LeafView, MalformedLeafError } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { verifyInclusion } from '../tree/verify.js';
import { isRotation, type ProvedRotation, rotationOf } from '../verify/followed-key.js';

/** A line of the file, as JSON. */
interface RotationLine {
  readonly seq: number;
  /** Hexadecimal. */
  readonly leaf: string;
  readonly salt: string;
  readonly detail: string;
  /** Base64 hashes, RFC 6962. */
  readonly proof: readonly string[];
}

export function rotationLines(rotations: readonly ProvedRotation[]): Buffer {
  const lines = rotations.map(({ seq, salt, detail, entry }) =>
    lineText({
      seq,
      leaf: Buffer.from(entry.bytes).toString('hex'),
      salt: Buffer.from(salt).toString('hex'),
      detail: Buffer.from(detail).toString('utf8'),
      proof: entry.proof.map((hash) => Buffer.from(hash).toString('base64')),
    }),
  );
  return Buffer.from(lines.join(''));
}

/** Undefined for a line that an export does not write. Nothing is believed of them yet: see `holdsIn`. */
export function readRotationLines(bytes: Buffer): (ProvedRotation | undefined)[] {
  return bytes.toString('utf8').replace(/\n$/, '').split('\n').map(readLine);
}

/** Whether the entry is in the tree, is the ledger's own, and says what is given as its detail. */
export function holdsIn(rotation: ProvedRotation, checkpoint: Checkpoint): boolean {
  const { bytes, leaf, proof } = rotation.entry;
  return isRotation(leaf, rotation) && rotation.note !== '' && verifyInclusion(bytes, rotation.seq, checkpoint, proof);
}

function readLine(text: string): ProvedRotation | undefined {
  try {
    const { seq, leaf, salt, detail, proof } = JSON.parse(text) as RotationLine;
    if (lineText({ seq, leaf, salt, detail, proof }) !== `${text}\n` || salt.length !== 2 * SALT_BYTES)
      return undefined;
    const bytes = Buffer.from(leaf, 'hex');
    const opening = { seq, salt: Buffer.from(salt, 'hex'), detail: Buffer.from(detail) };
    const hashes = proof.map((hash) => Buffer.from(hash, 'base64'));
    return { ...rotationOf(opening), entry: { bytes, leaf: new LeafView(bytes), proof: hashes } };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof MalformedLeafError)
      return undefined;
    throw error;
  }
}

function lineText({ seq, leaf, salt, detail, proof }: RotationLine): string {
  return `${JSON.stringify({ seq, leaf, salt, detail, proof })}\n`;
}
