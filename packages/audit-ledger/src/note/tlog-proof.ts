/** C2SP tlog-proof: index, inclusion path and checkpoint in one text, enough to verify an entry offline. */
import { HASH_BYTES } from '../tree/hash.js';
import { verifyInclusion } from '../tree/verify.js';
import { decodeBase64 } from './base64.js';
import { type Checkpoint, openCheckpoint } from './checkpoint.js';
import type { VerifierKey } from './keys.js';
import { NoteError } from './note.js';

const HEADER = 'c2sp.org/tlog-proof@v1';

export interface TlogProof {
  readonly index: number;
  readonly path: readonly Uint8Array[];
  readonly checkpoint: string;
}

export function formatTlogProof({ index, path, checkpoint }: TlogProof): string {
  const lines = [HEADER, `index ${index}`, ...path.map((hash) => Buffer.from(hash).toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const [header, indexLine = '', ...pathLines] = text.slice(0, Math.max(end, 0)).split('\n');
  const index = /^index (0|[1-9]\d*)$/.exec(indexLine)?.[1];
  const path = pathLines.map(decodeBase64).filter((hash) => hash !== null);
  const intact = path.length === pathLines.length && path.every((hash) => hash.length === HASH_BYTES);
  if (header !== HEADER || index === undefined || !intact) throw new NoteError('tlog-proof is malformed');
  return { index: Number(index), path, checkpoint: text.slice(end + 2) };
}

/** The checkpoint under which `leaf` is proved to stand at the proof's index. Throws NoteError otherwise. */
export function verifyTlogProof(text: string, leaf: Uint8Array, key: VerifierKey): Checkpoint {
  const proof = parseTlogProof(text);
  const checkpoint = openCheckpoint(proof.checkpoint, key);
  if (!verifyInclusion(leaf, proof.index, checkpoint, proof.path))
    throw new NoteError('inclusion proof does not verify');
  return checkpoint;
}
