/**
 * Second path of a commit: everything again, from the serialised bytes alone and by another algorithm (recursion over
 * aligned subtrees where the first path counts in binary). A machine that computes wrong answers must not get them signed.
 */
import { TILE_HEIGHT, TILE_WIDTH } from '../tiles/path.js';
import {
  type Digest,
  digest,
  digestBytes,
  digestOf,
  EMPTY_ROOT,
  HASH_BYTES,
  nodeHash,
  writeDigest,
} from '../tree/hash.js';
import { treeDigest } from '../tree/mth.js';
import { foldNodes, rangeNodes } from '../tree/ranges.js';
import { checkDetail, checkLink, leafOrBroken } from '../verify/link.js';
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
  /** By tile level, the hashes that the tiles of that level gain: those of the entries first. */
  readonly columns: readonly Buffer[];
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
  const { digests, receivedUs } = recomputeChain(before, entries, details);
  const { subtrees, upper } = extend(before, digests);
  const column = Buffer.allocUnsafe(HASH_BYTES * digests.length);
  for (const [i, each] of digests.entries()) writeDigest(each, column, i * HASH_BYTES);
  const chainHead = digests.length === 0 ? before.chainHead : column.subarray(-HASH_BYTES);
  return {
    next: { size: before.size + digests.length, chainHead, receivedUs, subtrees },
    root: foldNodes(subtrees.map(({ hash }) => hash)),
    batchRoot: digests.length === 0 ? EMPTY_ROOT : digestBytes(treeDigest(digests)),
    columns: [column, ...upper.map((hashes) => Buffer.concat(hashes))],
  };
}

function recomputeChain(
  before: ShadowState,
  entries: readonly Uint8Array[],
  details: readonly Uint8Array[] | undefined,
): { digests: Digest[]; receivedUs: number } {
  let prev = digestOf(before.chainHead);
  let { receivedUs } = before;
  const digests = entries.map((preimage, i) => {
    const leaf = leafOrBroken(preimage, 1);
    checkLink(leaf, { seq: before.size + i, prev, receivedUs });
    if (details !== undefined) checkDetail(leaf, details[i] ?? NOTHING);
    receivedUs = leaf.receivedUs;
    prev = digest(preimage);
    return prev;
  });
  return { digests, receivedUs };
}

/** Block by block of a tile's width, so that every node that a tile holds is met. */
function extend(before: ShadowState, digests: readonly Digest[]): { subtrees: Subtree[]; upper: Uint8Array[][] } {
  const [subtrees, upper]: [Subtree[], Uint8Array[][]] = [[...before.subtrees], []];
  const size = before.size + digests.length;
  for (let start = before.size; start < size; ) {
    const end = Math.min(size, (Math.floor(start / TILE_WIDTH) + 1) * TILE_WIDTH);
    for (const { level, index } of rangeNodes({ start, end })) {
      const first = index * 2 ** level - before.size;
      merge(subtrees, { level, hash: digestBytes(treeDigest(digests, first, first + 2 ** level)) }, upper);
    }
    start = end;
  }
  return { subtrees, upper };
}

/** `upper`: by tile level above the leaves', roots of the perfect subtrees of height 8, 16, … that the batch completes. */
function merge(subtrees: Subtree[], added: Subtree, upper: Uint8Array[][]): void {
  let carry = added;
  const meet = (): void => {
    if (carry.level === 0 || carry.level % TILE_HEIGHT !== 0) return;
    const column = upper[carry.level / TILE_HEIGHT - 1] ?? [];
    upper[carry.level / TILE_HEIGHT - 1] = column;
    column.push(carry.hash);
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
