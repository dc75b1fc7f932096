/**
 * Second path of a commit: everything again, from the serialised bytes alone and by another algorithm (recursion over
 * aligned subtrees where the first path counts in binary). A machine that computes wrong answers must not get them signed.
 */
import { TILE_HEIGHT, TILE_WIDTH } from '../tiles/path.js';
import { nodeHash, sha256 } from '../tree/hash.js';
import { merkleTreeHash } from '../tree/mth.js';
import { foldNodes, rangeNodes } from '../tree/ranges.js';
import { checkDetail, checkLink } from '../verify/link.js';
import { type BatchHeader, detailPreimages, entryPreimages, MalformedRecordError, readHeader } from './record.js';

const NOTHING = new Uint8Array();

/** State of the second path; it shares no object with the first. */
export interface ShadowState {
  readonly size: number;
  readonly chainHead: Uint8Array;
  readonly receivedUs: number;
  /** Perfect subtrees that tile the tree, left to right. */
  readonly subtrees: readonly Subtree[];
}

export interface Subtree {
  readonly level: number;
  readonly hash: Uint8Array;
}

export interface Recomputed {
  readonly next: ShadowState;
  readonly root: Uint8Array;
  readonly batchRoot: Uint8Array;
  /** Entry hashes of the batch. */
  readonly hashes: readonly Uint8Array[];
  /** Roots of the perfect subtrees of height 8, 16, … that the batch completes: what goes into the tiles above the entries. */
  readonly upperNodes: readonly Subtree[];
}

/** Throws where the bytes are not a well-formed continuation of `before`. */
export function recomputeBatch(before: ShadowState, entries: Uint8Array, details: Uint8Array): Recomputed {
  assertSameBatch(readHeader(entries), readHeader(details));
  return recomputeEntries(before, entryPreimages(entries), detailPreimages(details));
}

/** The same from preimages of entries and, where they are given, of their details. */
export function recomputeEntries(
  before: ShadowState,
  entries: readonly Uint8Array[],
  details?: readonly Uint8Array[],
): Recomputed {
  const { hashes, chainHead, receivedUs } = recomputeChain(before, entries, details);
  const { subtrees, upperNodes } = extend(before, hashes);
  return {
    next: { size: before.size + hashes.length, chainHead, receivedUs, subtrees },
    root: foldNodes(subtrees.map(({ hash }) => hash)),
    batchRoot: merkleTreeHash(hashes),
    hashes,
    upperNodes,
  };
}

function recomputeChain(
  before: ShadowState,
  entries: readonly Uint8Array[],
  details: readonly Uint8Array[] | undefined,
): { hashes: Uint8Array[]; chainHead: Uint8Array; receivedUs: number } {
  let { chainHead, receivedUs } = before;
  const hashes = entries.map((preimage, i) => {
    const leaf = checkLink(preimage.subarray(1), { seq: before.size + i, prev: chainHead, receivedUs });
    if (details !== undefined) checkDetail(leaf, details[i] ?? NOTHING);
    receivedUs = leaf.receivedUs;
    chainHead = sha256(preimage);
    return chainHead;
  });
  return { hashes, chainHead, receivedUs };
}

/** Block by block of a tile's width, so that every node that a tile holds is met. */
function extend(before: ShadowState, hashes: readonly Uint8Array[]): { subtrees: Subtree[]; upperNodes: Subtree[] } {
  const [subtrees, upperNodes]: [Subtree[], Subtree[]] = [[...before.subtrees], []];
  const size = before.size + hashes.length;
  for (let start = before.size; start < size; ) {
    const end = Math.min(size, (Math.floor(start / TILE_WIDTH) + 1) * TILE_WIDTH);
    for (const { level, index } of rangeNodes({ start, end })) {
      const first = index * 2 ** level - before.size;
      merge(subtrees, { level, hash: merkleTreeHash(hashes.slice(first, first + 2 ** level)) }, upperNodes);
    }
    start = end;
  }
  return { subtrees, upperNodes };
}

function merge(subtrees: Subtree[], added: Subtree, upperNodes: Subtree[]): void {
  let carry = added;
  const meet = (): void => {
    if (carry.level > 0 && carry.level % TILE_HEIGHT === 0) upperNodes.push(carry);
  };
  meet();
  for (let last = subtrees.at(-1); last?.level === carry.level; last = subtrees.at(-1)) {
    carry = { level: carry.level + 1, hash: nodeHash(last.hash, carry.hash) };
    subtrees.pop();
    meet();
  }
  subtrees.push(carry);
}

function assertSameBatch(entries: BatchHeader, details: BatchHeader): void {
  const same =
    entries.commit === details.commit &&
    entries.epoch === details.epoch &&
    entries.firstSeq === details.firstSeq &&
    entries.count === details.count &&
    Buffer.compare(entries.batchId, details.batchId) === 0;
  if (!same) throw new MalformedRecordError('entries and details are not of the same batch');
}
