/** Proofs and bundles as C2SP writes them, read by nobody's code but this. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProvedLeaf } from './sigstore-verifier.js';

export function parseProof(text: string, leaf: Buffer): ProvedLeaf {
  const end = text.indexOf('\n\n');
  const [, index = '', ...path] = text.slice(0, end).split('\n');
  return {
    index: Number(index.replace('index ', '')),
    leaf,
    path: path.map((hash) => Buffer.from(hash, 'base64')),
    checkpoint: text.slice(end + 2),
  };
}

/** The leaf of an entry out of the bundles of an export. */
export function leafAt(place: string, seq: number): Buffer {
  const [whole, partial] = bundlePaths(Math.floor(seq / 256)).map((path) => join(place, path));
  const file = existsSync(whole ?? '') ? whole : join(partial ?? '', readdirSync(partial ?? '')[0] ?? '');
  let bytes = readFileSync(file ?? '');
  for (let skip = seq % 256; skip > 0; skip -= 1) bytes = bytes.subarray(2 + bytes.readUInt16BE(0));
  return bytes.subarray(2, 2 + bytes.readUInt16BE(0));
}

export function bundlePaths(index: number): [string, string] {
  const thousands = index >= 1000 ? `x${String(Math.floor(index / 1000)).padStart(3, '0')}/` : '';
  const path = `tile/entries/${thousands}${String(index % 1000).padStart(3, '0')}`;
  return [path, `${path}.p`];
}
