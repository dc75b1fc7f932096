/**
 * Verifies a log from outside, by what it publishes: recomputes every leaf hash, link and root from the entry bundles,
 * and holds them against hash tiles, details and a checkpoint signed by a key that the caller pinned.
 */
import { preimageOf } from '../detail/commitment.js';
import type { LeafView } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { MalformedTileError, NodeReader, tileDigests, tileHashes } from '../tiles/node-reader.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { Frontier } from '../tree/frontier.js';
import { digestOf, ZERO_HASH } from '../tree/hash.js';
import { inclusionHolds, verifyConsistency } from '../tree/verify.js';
import { type FollowedCheckpoint, followCheckpoint } from './followed-key.js';
import { InOrder, type OpeningPart, openingParts, singly } from './in-order.js';
import { PrunedCheck, type PrunedRange } from './pruned-check.js';
import { type ClaimedPruned, type LogSource, NOTHING_PRUNED, type Opening, type SourceFault } from './source.js';
import { UpperTiles } from './upper-tiles.js';
import { type Finding, Walker, type WalkStart } from './walker.js';

export interface VerifyOptions {
  /** Newest entries to verify; undefined = all. */
  readonly depth?: number;
  /** Entries [first, end) alone, in place of a depth: rounded out to where bundles begin and end. */
  readonly range?: { readonly first: number; readonly end: number };
  /** Awaited after each bundle: whoever must not take all of a processor waits here. */
  readonly pace?: () => Promise<void>;
  /** A checkpoint seen earlier, which this log must extend. */
  readonly known?: Checkpoint;
  readonly progress?: (verified: number, total: number) => void;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly firstSeq: number;
  readonly entries: number;
  /** Details held against their commitments; 0 where the source publishes none. */
  readonly details: number;
  /** What is missing because the log itself says that it was pruned; undefined where nothing is. */
  readonly prunedDetails: PrunedRange | undefined;
  readonly prunedLeaves: PrunedRange | undefined;
  readonly findings: readonly Finding[];
  /** All findings; more than are listed where very much is wrong. */
  readonly found: number;
  readonly checkpoint: Checkpoint | undefined;
  /** By what key it was opened, and how the pinned one led there; undefined where it was not, or the caller answers for it. */
  readonly followed?: FollowedCheckpoint;
}

/** Rejects with SourceError where the log cannot be read; whatever is wrong with what was read is a finding. */
export async function verifyLog(
  source: LogSource,
  key: VerifierKey,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const note = await source.checkpoint();
  try {
    const followed = await followCheckpoint(note, source, key);
    return { ...(await verifyAgainst(followed.checkpoint, source, options)), followed };
  } catch (error) {
    if (!(error instanceof NoteError || error instanceof MalformedTileError)) throw error;
    return {
      ok: false,
      firstSeq: 0,
      entries: 0,
      details: 0,
      prunedDetails: undefined,
      prunedLeaves: undefined,
      findings: [{ seq: 0, what: error.message }],
      found: 1,
      checkpoint: undefined,
    };
  }
}

/** The same under a checkpoint whose signature the caller answers for. */
export async function verifyAgainst(
  checkpoint: Checkpoint,
  source: LogSource,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { size } = checkpoint;
  const claim = (await source.pruned?.()) ?? NOTHING_PRUNED;
  const pruned = new PrunedCheck(claim);
  const { range } = options;
  const firstSeq = range === undefined ? firstOf(size, options.depth, claim.leaves) : startOfBundle(range.first);
  const end = range === undefined ? size : Math.min(startOfBundle(range.end + TILE_WIDTH - 1), size);
  const extra: Finding[] = [];
  const upper = new UpperTiles(source, size);
  const walker = new Walker(await startAt(firstSeq, checkpoint, source, extra), upper.sink);
  const details = await walk({ walker, size, end, source, options, upper, claim, pruned });
  walker.finish();
  if (end < size) await pruned.confirmBeyond(end, checkpoint, source);
  extra.push(...pruned.finish(firstSeq === 0 && end >= claim.leaves));
  extra.push(...beside(walker, [...upper.faults, ...((await source.faults?.()) ?? [])]));
  // An altered entry changes the root too: the root is news only where no entry was found altered.
  if (walker.found === 0 && !(await leadsToRoot(walker, end, checkpoint, source))) {
    extra.push({ seq: end - 1, what: 'entries do not add up to the root that was signed' });
  }
  const known = options.known;
  if (known !== undefined) extra.push(...(await inconsistency(known, checkpoint, source)));
  const findings = [...extra, ...walker.findings];
  const found = extra.length + walker.found;
  return {
    ok: found === 0,
    firstSeq,
    entries: end - firstSeq,
    details,
    prunedDetails: pruned.details,
    prunedLeaves: pruned.leaves,
    findings,
    found,
    checkpoint,
  };
}

/** Bundles are read whole, so a depth is rounded up to where one starts, and ends where leaves were pruned. */
function firstOf(size: number, depth: number | undefined, prunedLeaves: number): number {
  if (depth === undefined || depth >= size) return 0;
  return Math.max(Math.floor((size - depth) / TILE_WIDTH) * TILE_WIDTH, prunedLeaves);
}

function startOfBundle(seq: number): number {
  return Math.floor(seq / TILE_WIDTH) * TILE_WIDTH;
}

/** Where the walk ended before the newest entry, the tiles lead from there to the root. */
async function leadsToRoot(walker: Walker, end: number, checkpoint: Checkpoint, source: LogSource): Promise<boolean> {
  const root = walker.root();
  if (end === checkpoint.size) return root.equals(checkpoint.root);
  const reader = new NodeReader((tile) => source.tile(tile), checkpoint.size);
  return verifyConsistency({ size: end, root }, checkpoint, await reader.consistencyProof(end, checkpoint.size));
}

/**
 * Subtrees and entry hash to start from, as the tiles say. The walk ends in the signed root only if the subtrees are
 * right; the entry hash is proved to be in the signed tree.
 */
async function startAt(
  seq: number,
  checkpoint: Checkpoint,
  source: LogSource,
  findings: Finding[],
): Promise<WalkStart> {
  if (seq === 0) return { seq, prev: digestOf(ZERO_HASH), frontier: new Frontier() };
  const reader = new NodeReader((tile) => source.tile(tile), checkpoint.size);
  const index = Math.floor((seq - 1) / TILE_WIDTH);
  const width = tileWidth(checkpoint.size, 0, index);
  const prev =
    tileHashes(await source.tile({ kind: 'hashes', level: 0, index, width }), width)[(seq - 1) % TILE_WIDTH] ??
    ZERO_HASH;
  const proof = await reader.inclusionProof(seq - 1, checkpoint.size);
  if (!inclusionHolds(prev, seq - 1, checkpoint, proof))
    findings.push({ seq: seq - 1, what: 'hash tile is not part of the signed tree' });
  return { seq, prev: digestOf(prev), frontier: Frontier.fromSubtrees(await reader.subtrees(seq)) };
}

/** Faults that nothing narrower explains: an altered entry damages all that is computed over it. */
function beside({ findings }: Walker, faults: readonly SourceFault[]): Finding[] {
  const exact = [...findings.map(({ seq }) => ({ first: seq, last: seq })), ...faults.filter(({ apart }) => !apart)];
  const unexplained = faults.filter(
    ({ first, last, apart }) =>
      apart ||
      !exact.some(
        (other) =>
          other.first >= first && other.last <= last && (other.last - other.first < last - first || !('what' in other)),
      ),
  );
  return unexplained.map(({ first, what }) => ({ seq: Math.max(first, 0), what }));
}

interface Walk {
  readonly walker: Walker;
  /** Of the tree. */
  readonly size: number;
  /** Of the walk. */
  readonly end: number;
  readonly source: LogSource;
  readonly options: VerifyOptions;
  readonly upper: UpperTiles;
  readonly claim: ClaimedPruned;
  readonly pruned: PrunedCheck;
}

async function walk(all: Walk): Promise<number> {
  const { walker, size, end, source, options, upper, claim } = all;
  const details = new DetailCheck(all);
  const keptLeaves = new InOrder(singly(source.keptLeaves?.(walker.size, Math.min(claim.leaves, end))));
  const first = walker.size;
  while (walker.size < end) {
    const start = walker.size;
    const index = start / TILE_WIDTH;
    const width = tileWidth(size, 0, index);
    const leaves =
      start < claim.leaves
        ? await walkPruned(all, keptLeaves, index, width)
        : await walkBundle(walker, source, index, width);
    await source.walked?.(start, leaves);
    await details.take(start, leaves);
    await upper.check();
    options.progress?.(walker.size - first, end - first);
    await options.pace?.();
  }
  await Promise.all([details.close(), keptLeaves.close()]);
  return details.checked;
}

/** Leaves of a bundle; undefined for those that cannot be read, or are not there. */
type WalkedLeaves = readonly (LeafView | undefined)[];

async function walkBundle(walker: Walker, source: LogSource, index: number, width: number): Promise<WalkedLeaves> {
  const [entries, tile] = await Promise.all([
    bundleOf(source, index, width),
    source.tile({ kind: 'hashes', level: 0, index, width }),
  ]);
  const hashes = orMalformed(() => tileDigests(tile, width));
  if (hashes === undefined) walker.report(index * TILE_WIDTH, 'hash tile is malformed');
  return Array.from({ length: width }, (_, i) => {
    const bytes = entries?.[i];
    if (bytes !== undefined) return walker.push(bytes, hashes?.[i]);
    walker.pushMissing(hashes?.[i], 'entry bundle is damaged');
    return undefined;
  });
}

async function bundleOf(source: LogSource, index: number, width: number): Promise<readonly Uint8Array[] | undefined> {
  if (source.leaves !== undefined) return await source.leaves(index, width);
  const bundle = await source.tile({ kind: 'entries', index, width });
  return orMalformed(() => decodeBundle(bundle, width));
}

/** Of a bundle whose leaves were pruned there are its hashes, and the leaves that were kept. */
async function walkPruned(
  { walker, source, pruned }: Walk,
  kept: InOrder<{ readonly seq: number; readonly leaf: Uint8Array }>,
  index: number,
  width: number,
): Promise<WalkedLeaves> {
  const tile = await source.tile({ kind: 'hashes', level: 0, index, width });
  const hashes = orMalformed(() => tileDigests(tile, width));
  const leaves: (LeafView | undefined)[] = [];
  for (let i = 0; i < width; i += 1) {
    const seq = index * TILE_WIDTH + i;
    const found = await kept.at(seq);
    if (found === undefined) {
      walker.pushPruned(hashes?.[i]);
      pruned.prunedLeaf(seq);
    } else pruned.keptLeaf(seq);
    leaves.push(found === undefined ? undefined : walker.push(found.leaf, hashes?.[i]));
  }
  return leaves;
}

/** Merges openings, which come in order, into the walk; a gap that no pruning explains is a finding. */
class DetailCheck {
  checked = 0;
  readonly #walk: Walk;
  readonly #parts: readonly OpeningPart[];

  constructor(walk: Walk) {
    const { walker, end, source, claim } = walk;
    this.#walk = walk;
    this.#parts = openingParts(source, claim, walker.size, end);
  }

  /** Leaves of the entries from `first` on. */
  async take(first: number, leaves: WalkedLeaves): Promise<void> {
    for (const [i, leaf] of leaves.entries()) {
      if (leaf === undefined) continue;
      const seq = first + i;
      const openings = this.#parts.find(({ to }) => seq < to)?.openings;
      if (openings !== undefined && !openings.reaches(seq)) await openings.reach(seq);
      this.#check(seq, leaf, openings?.current(seq));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map(({ openings }) => openings.close()));
  }

  #check(seq: number, leaf: LeafView, opening: Opening | undefined): void {
    const { walker, pruned } = this.#walk;
    pruned.take(seq, leaf);
    if (opening !== undefined) {
      this.checked += 1;
      walker.detail(seq, leaf, preimageOf(opening));
    } else if (this.#parts.length > 0 && !pruned.detail(seq, leaf)) walker.report(seq, 'detail is missing');
  }
}

/** The known checkpoint must be a prefix, by a consistency proof out of the tiles. */
export async function inconsistency(known: Checkpoint, now: Checkpoint, source: LogSource): Promise<Finding[]> {
  if (known.origin !== now.origin)
    return [{ seq: 0, what: `log is ${now.origin}, the known checkpoint is of ${known.origin}` }];
  if (known.size > now.size)
    return [{ seq: now.size, what: `log went back from ${known.size} to ${now.size} entries` }];
  const reader = new NodeReader((tile) => source.tile(tile), now.size);
  const proof = await reader.consistencyProof(known.size, now.size);
  if (verifyConsistency(known, now, proof)) return [];
  return [{ seq: known.size - 1, what: 'log does not extend the known checkpoint: history was rewritten' }];
}

function orMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBundleError || error instanceof MalformedTileError) return undefined;
    throw error;
  }
}
