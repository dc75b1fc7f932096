/**
 * What a start makes again from the rows: both paths' state, the newest index block, what no seal covers yet. The newest block
 * of 65,536 entries is recomputed, and what is not sealed; what lies before it is known by the tree, and must lead to the
 * head's root all the same.
 */
import { type ChainState, EMPTY_CHAIN } from '../../commit/build.js';
import { recomputeEntries, type ShadowState } from '../../commit/recompute.js';
import { entryPreimages, MalformedRecordError, readHeader } from '../../commit/record.js';
import { SALT_BYTES } from '../../detail/commitment.js';
import { BLOCK_ENTRIES } from '../../index/block.js';
import { decodeLeaf, type Leaf, LeafType } from '../../leaf/leaf.js';
import type { PrunedEnds } from '../../retention/pruning.js';
import { SealTracker } from '../../seal/tracker.js';
import { MalformedTileError, NodeReader } from '../../tiles/node-reader.js';
import { TILE_WIDTH } from '../../tiles/path.js';
import { Frontier } from '../../tree/frontier.js';
import { digestOf, HASH_BYTES, ZERO_HASH } from '../../tree/hash.js';
import { merkleTreeHash } from '../../tree/mth.js';
import { BrokenLinkError } from '../../verify/link.js';
import { TamperedStoreError } from '../errors.js';
import { bundleStart } from './geometry.js';
import type { ScyllaHead } from './head-row.js';
import { type LogRows, place, type RecordRow } from './log-rows.js';
import type { NewestBlock } from './newest-block.js';
import { readItems, readTile } from './scylla-reads.js';

/** Newest entries whose details are held against their commitments, too: the largest batch. */
const DETAILS_RECOMPUTED = 8192;
const NOTHING = Buffer.alloc(0);

export interface CommitPlace {
  readonly commit: number;
  readonly firstSeq: number;
}

export interface Recovered {
  readonly state: ChainState;
  readonly shadow: ShadowState;
  readonly seals: SealTracker;
  readonly unsealed: readonly CommitPlace[];
  readonly recomputed: number;
}

interface Item {
  readonly preimage: Uint8Array;
  readonly commit: number;
}

interface Commit extends CommitPlace {
  readonly leaves: Leaf[];
  readonly hashes: Uint8Array[];
}

/** What was pruned need not be there. @throws TamperedStoreError where the rows do not lead to the head */
export async function recover(
  rows: LogRows,
  head: ScyllaHead,
  newest: NewestBlock,
  pruned: PrunedEnds,
): Promise<Recovered> {
  try {
    return await walk(rows, head, newest, pruned);
  } catch (error) {
    const broken =
      error instanceof BrokenLinkError ||
      error instanceof MalformedRecordError ||
      error instanceof MalformedTileError ||
      error instanceof TamperedStoreError;
    if (!broken) throw error;
    throw new TamperedStoreError(`${error.message}; run sentinel-audit-ledger verify --full`);
  }
}

export function nodesOf(rows: LogRows, size: number): NodeReader {
  return new NodeReader((tile) => readTile(rows, tile), size);
}

async function walk(rows: LogRows, head: ScyllaHead, newest: NewestBlock, pruned: PrunedEnds): Promise<Recovered> {
  const block = Math.floor(head.size / BLOCK_ENTRIES) * BLOCK_ENTRIES;
  const start = Math.max(bundleStart(Math.min(block, head.firstUnsealedSeq)), pruned.leaves);
  if (start > block) await newest.fill(start);
  const subtrees = await nodesOf(rows, head.size).subtrees(start);
  const frontier = Frontier.fromSubtrees(subtrees);
  let shadow: ShadowState = { size: start, chainHead: await entryHash(rows, start - 1), receivedUs: 0, subtrees };
  let root = frontier.root() as Uint8Array;
  const commits: Commit[] = [];
  for await (const items of bundles(rows, start, head.size)) {
    const from = shadow.size;
    const preimages = items.map(({ preimage }) => preimage);
    const again = recomputeEntries(
      shadow,
      preimages,
      from < pruned.details ? undefined : await detailsOf(rows, from, items.length, head.size),
    );
    const [column = NOTHING] = again.columns;
    for (const [i, { preimage, commit }] of items.entries()) {
      const leaf = decodeLeaf(preimage.subarray(1));
      const hash = column.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      frontier.append(digestOf(hash));
      newest.add(leaf.seq, leaf, leaf.receivedUs, commit);
      if (leaf.seq >= head.firstUnsealedSeq) collect(commits, commit, leaf, hash);
    }
    shadow = again.next;
    root = again.root;
  }
  assertHead(head, shadow, root, frontier);
  const chain = { chainHead: Buffer.from(shadow.chainHead), receivedUs: head.receivedUs, frontier };
  return {
    state: head.size === 0 ? EMPTY_CHAIN : chain,
    shadow: { ...shadow, receivedUs: head.receivedUs },
    seals: await sealsOf(rows, commits),
    unsealed: commits.map(({ commit, firstSeq }) => ({ commit, firstSeq })),
    recomputed: head.size - start,
  };
}

async function entryHash(rows: LogRows, seq: number): Promise<Uint8Array> {
  if (seq < 0) return ZERO_HASH;
  const index = Math.floor(seq / TILE_WIDTH);
  const width = (seq % TILE_WIDTH) + 1;
  const tile = await readTile(rows, { kind: 'hashes', level: 0, index, width });
  return tile.subarray((width - 1) * HASH_BYTES);
}

/** Entries of [from, size), a bundle at a time. */
async function* bundles(rows: LogRows, from: number, size: number): AsyncGenerator<Item[]> {
  let held: RecordRow[] = [];
  let start = from;
  for await (const row of rows.records('leaves', from, size)) {
    for (; row.first >= start + TILE_WIDTH; start += TILE_WIDTH) {
      yield itemsOf(held, start, start + TILE_WIDTH);
      held = [];
    }
    held.push(row);
  }
  for (; start < size; start += TILE_WIDTH) {
    yield itemsOf(held, start, Math.min(start + TILE_WIDTH, size));
    held = [];
  }
}

function itemsOf(rows: readonly RecordRow[], from: number, to: number): Item[] {
  const split = ({ record }: RecordRow): Item[] => {
    const { commit } = readHeader(record);
    return entryPreimages(record).map((preimage) => ({ preimage, commit }));
  };
  return place(rows, split, from, to).map((item, i) => {
    if (item === undefined) throw new TamperedStoreError(`entry ${from + i} is missing`);
    return item;
  });
}

async function detailsOf(rows: LogRows, from: number, count: number, size: number): Promise<Uint8Array[] | undefined> {
  return from + count > size - DETAILS_RECOMPUTED ? await readItems(rows, 'details', from, from + count) : undefined;
}

function collect(commits: Commit[], commit: number, leaf: Leaf, hash: Uint8Array): void {
  const last = commits.at(-1);
  if (last?.commit !== commit) commits.push({ commit, firstSeq: leaf.seq, leaves: [leaf], hashes: [hash] });
  else {
    last.leaves.push(leaf);
    last.hashes.push(hash);
  }
}

async function sealsOf(rows: LogRows, commits: readonly Commit[]): Promise<SealTracker> {
  const seals = new SealTracker();
  for (const { commit, firstSeq, leaves, hashes } of commits) {
    const types = leaves.map(({ type }) => type);
    const onlySeal = types.length === 1 && types[0] === LeafType.system && (await isSeal(rows, firstSeq));
    seals.add({ commit, firstSeq, types, batchRoot: merkleTreeHash(hashes), onlySeal });
  }
  return seals;
}

async function isSeal(rows: LogRows, seq: number): Promise<boolean> {
  const [preimage = new Uint8Array()] = await readItems(rows, 'details', seq, seq + 1);
  const { event } = JSON.parse(Buffer.from(preimage.subarray(1 + SALT_BYTES)).toString('utf8')) as { event?: unknown };
  return event === 'seal';
}

function assertHead(head: ScyllaHead, shadow: ShadowState, root: Uint8Array, frontier: Frontier): void {
  const same =
    shadow.size === head.size &&
    Buffer.compare(shadow.chainHead, head.chainHead) === 0 &&
    Buffer.compare(root, head.root) === 0 &&
    Buffer.compare(frontier.root(), head.root) === 0;
  if (!same)
    throw new TamperedStoreError(`the ${shadow.size} stored entries are not the ${head.size} that were committed`);
}
