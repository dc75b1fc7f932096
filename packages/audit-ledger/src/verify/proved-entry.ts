/** One entry of a log that is not walked. */
import { LeafView, MalformedLeafError } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { NodeReader } from '../tiles/node-reader.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { verifyInclusion } from '../tree/verify.js';
import type { LogSource } from './source.js';

export interface ProvedEntry {
  readonly bytes: Uint8Array;
  readonly leaf: LeafView;
  /** RFC 6962, under the checkpoint that it was asked for. */
  readonly proof: readonly Uint8Array[];
}

/** Undefined unless entry `seq` is there and proved to be in the signed tree. @param prunedLeaves end of bundles that are gone */
export async function provedEntry(
  seq: number,
  checkpoint: Checkpoint,
  source: LogSource,
  prunedLeaves: number,
): Promise<ProvedEntry | undefined> {
  if (seq >= checkpoint.size) return undefined;
  const index = Math.floor(seq / TILE_WIDTH);
  const width = tileWidth(checkpoint.size, 0, index);
  const reader = new NodeReader((tile) => source.tile(tile), checkpoint.size);
  try {
    const proof = await reader.inclusionProof(seq, checkpoint.size);
    const bytes = (await leavesOf(source, index, width, prunedLeaves))[seq % TILE_WIDTH];
    if (bytes === undefined || !verifyInclusion(bytes, seq, checkpoint, proof)) return undefined;
    return { bytes, leaf: new LeafView(bytes), proof };
  } catch (error) {
    if (error instanceof MalformedBundleError || error instanceof MalformedLeafError) return undefined;
    throw error;
  }
}

async function leavesOf(
  source: LogSource,
  index: number,
  width: number,
  prunedLeaves: number,
): Promise<readonly (Uint8Array | undefined)[]> {
  const first = index * TILE_WIDTH;
  if (first >= prunedLeaves) return decodeBundle(await source.tile({ kind: 'entries', index, width }), width);
  const leaves = new Array<Uint8Array | undefined>(width).fill(undefined);
  for await (const { seq, leaf } of source.keptLeaves?.(first, first + width) ?? []) leaves[seq - first] = leaf;
  return leaves;
}
