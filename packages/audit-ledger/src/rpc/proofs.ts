import type {
  GetCheckpointResponse,
  GetConsistencyProofRequest,
  GetConsistencyProofResponse,
  GetInclusionProofRequest,
  GetInclusionProofResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { LogReads } from '../storage/store.js';
import { NodeReader } from '../tiles/node-reader.js';
import type { RpcContext } from './context.js';
import { outOfRange } from './errors.js';

export async function getCheckpoint({ view, keys }: RpcContext): Promise<GetCheckpointResponse> {
  const { current, rotations } = await keys();
  return { checkpoint: view().checkpoint.note, verifierKey: current, rotations: rotations.map(({ note }) => note) };
}

export async function getInclusionProof(
  context: RpcContext,
  request: GetInclusionProofRequest,
): Promise<GetInclusionProofResponse> {
  const { checkpoint, reads } = context.view();
  const { note, size } = checkpoint;
  const treeSize = sizeWithin(request.treeSize, size, 'tree_size');
  if (request.seq >= BigInt(treeSize)) throw notFound(request.seq, treeSize);
  const seq = Number(request.seq);
  const [hashes, [leaf]] = await Promise.all([
    nodes(reads, size).inclusionProof(seq, treeSize),
    reads.readLeaves(seq, seq + 1),
  ]);
  if (leaf === undefined) throw leafPruned(seq);
  return {
    leaf: Buffer.from(leaf),
    hashes: hashes.map((hash) => Buffer.from(hash)),
    treeSize: BigInt(treeSize),
    checkpoint: note,
  };
}

export async function getConsistencyProof(
  context: RpcContext,
  request: GetConsistencyProofRequest,
): Promise<GetConsistencyProofResponse> {
  const { checkpoint, reads } = context.view();
  const { note, size } = checkpoint;
  const newSize = sizeWithin(request.newSize, size, 'new_size');
  if (request.oldSize > BigInt(newSize))
    throw outOfRange('old_size', `old_size ${request.oldSize} is beyond new_size ${newSize}`);
  const hashes = await nodes(reads, size).consistencyProof(Number(request.oldSize), newSize);
  return { hashes: hashes.map((hash) => Buffer.from(hash)), newSize: BigInt(newSize), checkpoint: note };
}

function sizeWithin(wanted: bigint, size: number, field: string): number {
  if (wanted > BigInt(size)) throw outOfRange(field, `${field} ${wanted} is beyond the ${size} entries of the log`);
  return wanted === 0n ? size : Number(wanted);
}

/** Whoever kept the leaf can still prove it: its hash is in the tiles. */
function leafPruned(seq: number): SentinelError {
  return new SentinelError({
    code: 'NOT_FOUND',
    reason: 'PRUNED',
    field: 'seq',
    message: `entry ${seq} was pruned: its hash is still in the tree, its bytes are gone`,
    hint: 'GetPruned names the entries of the log that say so.',
  });
}

function notFound(seq: bigint, size: number): SentinelError {
  return new SentinelError({
    code: 'NOT_FOUND',
    field: 'seq',
    message: `entry ${seq} is not in a log of ${size} entries`,
  });
}

function nodes(reads: LogReads, size: number): NodeReader {
  return new NodeReader(async (tile) => {
    const bytes = await reads.readTile(tile);
    if (bytes === undefined) throw new Error(`tree has no tile ${tile.level}/${tile.index} of width ${tile.width}`);
    return bytes;
  }, size);
}
