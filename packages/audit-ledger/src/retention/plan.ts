/** What a pruning would take, after having looked at every entry of it: what is damaged or not anchored stays. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { decodeLeaf, type Leaf, LeafView } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import type { LedgerStore, StoredEntry } from '../storage/store.js';
import { NodeReader } from '../tiles/node-reader.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { Frontier } from '../tree/frontier.js';
import { leafDigest } from '../tree/hash.js';
import { verifyConsistency } from '../tree/verify.js';
import { BrokenLinkError, checkDetail } from '../verify/link.js';
import { KeptDigest, type KeptLeaves, type PrunedEnds } from './pruning.js';
import { keeps, type Scope } from './scope.js';

const STEP_ENTRIES = 1024;
/** What surrounds a detail and a leaf in a store: length, prefix, salt. */
const DETAIL_OVERHEAD_BYTES = 4 + 1 + 16;
const LEAF_OVERHEAD_BYTES = 2 + 1;

export interface PruneRequest {
  /** Entries that the ledger received before, microseconds since the Unix epoch; undefined: nothing of the kind. */
  readonly detailsBeforeUs: number | undefined;
  readonly leavesBeforeUs: number | undefined;
}

export interface PrunePlan extends PrunedEnds {
  readonly request: PruneRequest;
  readonly scopes: readonly Scope[];
  readonly goneLeaves: number;
  readonly goneDetails: number;
  readonly bytes: number;
  readonly keptOwn: number;
  readonly keptHeld: number;
  /** Leaves kept below `leaves`; undefined where none is pruned. */
  readonly kept: KeptLeaves | undefined;
  readonly notes: readonly string[];
}

export interface PlanInput {
  readonly store: LedgerStore;
  /** Signed. */
  readonly checkpoint: Checkpoint;
  /** Entries below are covered by a seal. */
  readonly sealedEnd: number;
  readonly request: PruneRequest;
  readonly scopes: readonly Scope[];
  /** Something that is kept because of a former hold may go. */
  readonly narrowed: boolean;
}

/** @throws SentinelError DATA_LOSS where an entry in the range is not what was signed: it is evidence, and stays */
export async function planPruning(input: PlanInput): Promise<PrunePlan> {
  const { store, request, scopes, sealedEnd: sealed } = input;
  const { pruned } = store;
  const notes: string[] = [];
  const endOf = async (beforeUs: number | undefined, before: number, what: string): Promise<number> => {
    if (beforeUs === undefined) return before;
    const end = await firstReceivedFrom(store, beforeUs, before);
    if (end > sealed) notes.push(`${what} of entries ${sealed} to ${end - 1} stay: no seal covers them yet`);
    return Math.max(Math.min(end, sealed), before);
  };
  const leavesAsked = await endOf(request.leavesBeforeUs, pruned.leaves, 'leaves');
  const details = Math.max(await endOf(request.detailsBeforeUs, pruned.details, 'details'), leavesAsked);
  const leaves = Math.max(Math.floor(leavesAsked / TILE_WIDTH) * TILE_WIDTH, pruned.leaves);
  const tally = new Tally(scopes, { leaves, details }, pruned);
  await lookAt(input, { leaves, details }, tally);
  if (tally.keptHeld > 0) notes.push(`${tally.keptHeld} entries stay because of legal holds`);
  return {
    request,
    scopes,
    leaves,
    details,
    goneLeaves: tally.goneLeaves,
    goneDetails: tally.goneDetails,
    bytes: tally.bytes,
    keptOwn: tally.keptOwn,
    keptHeld: tally.keptHeld,
    kept: leaves === 0 ? undefined : await keptBelow(store, leaves, scopes),
    notes,
  };
}

export function isEmpty({ goneDetails, goneLeaves }: PrunePlan): boolean {
  return goneDetails === 0 && goneLeaves === 0;
}

/** Counts what goes and what stays. */
class Tally {
  goneLeaves = 0;
  goneDetails = 0;
  bytes = 0;
  keptOwn = 0;
  keptHeld = 0;
  readonly #scopes: readonly Scope[];
  readonly #ends: PrunedEnds;
  readonly #before: PrunedEnds;

  constructor(scopes: readonly Scope[], ends: PrunedEnds, before: PrunedEnds) {
    this.#scopes = scopes;
    this.#ends = ends;
    this.#before = before;
  }

  add({ seq, detailPreimage }: StoredEntry, leaf: Leaf, leafBytes: number): void {
    if (keeps(this.#scopes, leaf)) {
      if (seq < this.#before.details) return;
      if (leaf.producer === LEDGER_PRODUCER) this.keptOwn += 1;
      else this.keptHeld += 1;
      return;
    }
    if (seq < this.#ends.details && detailPreimage !== undefined) {
      this.goneDetails += 1;
      this.bytes += leaf.detailLength + DETAIL_OVERHEAD_BYTES;
    }
    if (seq < this.#ends.leaves) {
      this.goneLeaves += 1;
      this.bytes += leafBytes + LEAF_OVERHEAD_BYTES;
    }
  }
}

/** Every entry that may go, held against its commitment and, all together, against the signed checkpoint. */
async function lookAt({ store, checkpoint, narrowed }: PlanInput, ends: PrunedEnds, tally: Tally): Promise<void> {
  const { pruned } = store;
  const to = Math.max(ends.details, ends.leaves);
  if (narrowed) await eachEntry(store, 0, pruned.leaves, (entry, leaf) => tally.add(entry, leaf, entry.leaf.length));
  const first = narrowed || ends.leaves > pruned.leaves ? pruned.leaves : pruned.details;
  if (first >= to) return;
  const nodes = nodesOf(store, checkpoint.size);
  const frontier = Frontier.fromSubtrees(await nodes.subtrees(first));
  await eachEntry(store, first, to, (entry, leaf) => {
    frontier.append(leafDigest(entry.leaf));
    if (entry.detailPreimage !== undefined) assertCommitted(entry.seq, leaf, entry.detailPreimage);
    tally.add(entry, leaf, entry.leaf.length);
  });
  const proof = await nodes.consistencyProof(to, checkpoint.size);
  if (frontier.size !== to || !verifyConsistency({ size: to, root: frontier.root() }, checkpoint, proof))
    throw damaged(`entries ${first} to ${to - 1} are not what was signed`);
}

async function eachEntry(
  store: LedgerStore,
  from: number,
  to: number,
  visit: (entry: StoredEntry, leaf: LeafView) => void,
): Promise<void> {
  for (let at = from; at < to; at += STEP_ENTRIES)
    for (const entry of await store.readEntries(at, Math.min(at + STEP_ENTRIES, to)))
      visit(entry, new LeafView(entry.leaf));
}

async function keptBelow(store: LedgerStore, end: number, scopes: readonly Scope[]): Promise<KeptLeaves> {
  const digest = new KeptDigest();
  for (let at = 0; at < end; at += STEP_ENTRIES) {
    const leaves = await store.readLeaves(at, Math.min(at + STEP_ENTRIES, end));
    for (const [i, leaf] of leaves.entries())
      if (leaf !== undefined && keeps(scopes, decodeLeaf(leaf))) digest.add(at + i);
  }
  return digest.value();
}

/** First entry, from `low` on, that the ledger received at that time or later: always the first of a commit. */
async function firstReceivedFrom(store: LedgerStore, us: number, low: number): Promise<number> {
  let [first, end] = [low, store.head.size];
  while (first < end) {
    const middle = Math.floor((first + end) / 2);
    const [leaf] = await store.readLeaves(middle, middle + 1);
    if (leaf !== undefined && decodeLeaf(leaf).receivedUs >= us) end = middle;
    else first = middle + 1;
  }
  return first;
}

function nodesOf(store: LedgerStore, size: number): NodeReader {
  return new NodeReader(async (tile) => {
    const bytes = await store.readTile(tile);
    if (bytes === undefined) throw damaged(`the tree has no tile ${tile.level}/${tile.index}`);
    return bytes;
  }, size);
}

function assertCommitted(seq: number, leaf: LeafView, preimage: Uint8Array): void {
  try {
    checkDetail(leaf, preimage);
  } catch (error) {
    if (!(error instanceof BrokenLinkError)) throw error;
    throw damaged(`entry ${seq}: ${error.message}`);
  }
}

function damaged(what: string): SentinelError {
  return new SentinelError({
    code: 'DATA_LOSS',
    message: `nothing is pruned: ${what}`,
    hint: 'sentinel-audit-ledger verify --full says what is wrong; mend it first with repair --from COPY.',
  });
}
