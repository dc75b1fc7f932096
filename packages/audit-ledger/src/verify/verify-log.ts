/**
 * Verifies a log from outside, by what it publishes: recomputes every leaf hash, link and root from the entry bundles,
 * and holds them against hash tiles, details and a checkpoint signed by a key that the caller pinned.
 */
import { commitmentPreimage } from '../detail/commitment.js';
import type { Leaf } from '../leaf/leaf.js';
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { MalformedTileError, NodeReader, tileHashes } from '../tiles/node-reader.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { Frontier } from '../tree/frontier.js';
import { ZERO_HASH } from '../tree/hash.js';
import { inclusionHolds, verifyConsistency } from '../tree/verify.js';
import type { LogSource, Opening, SourceFault } from './source.js';
import { UpperTiles } from './upper-tiles.js';
import { type Finding, Walker, type WalkStart } from './walker.js';

export interface VerifyOptions {
  /** Newest entries to verify; undefined = all. */
  readonly depth?: number;
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
  readonly findings: readonly Finding[];
  /** All findings; more than are listed where very much is wrong. */
  readonly found: number;
  readonly checkpoint: Checkpoint | undefined;
}

/** Rejects with SourceError where the log cannot be read; whatever is wrong with what was read is a finding. */
export async function verifyLog(
  source: LogSource,
  key: VerifierKey,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const note = await source.checkpoint();
  try {
    return await verifyAgainst(openCheckpoint(note, key), source, options);
  } catch (error) {
    if (!(error instanceof NoteError || error instanceof MalformedTileError)) throw error;
    return {
      ok: false,
      firstSeq: 0,
      entries: 0,
      details: 0,
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
  const firstSeq = firstOf(size, options.depth);
  const extra: Finding[] = [];
  const upper = new UpperTiles(source, size);
  const walker = new Walker(await startAt(firstSeq, checkpoint, source, extra), upper.sink);
  const details = await walk(walker, size, source, options, upper);
  walker.finish();
  extra.push(...beside(walker, [...upper.faults, ...((await source.faults?.()) ?? [])]));
  // An altered entry changes the root too: the root is news only where no entry was found altered.
  if (walker.found === 0 && !walker.root().equals(checkpoint.root)) {
    extra.push({ seq: size - 1, what: 'entries do not add up to the root that was signed' });
  }
  const known = options.known;
  if (known !== undefined) extra.push(...(await inconsistency(known, checkpoint, source)));
  const findings = [...extra, ...walker.findings];
  const found = extra.length + walker.found;
  return { ok: found === 0, firstSeq, entries: size - firstSeq, details, findings, found, checkpoint };
}

/** Bundles are read whole, so a depth is rounded up to where one starts. */
function firstOf(size: number, depth: number | undefined): number {
  if (depth === undefined || depth >= size) return 0;
  return Math.floor((size - depth) / TILE_WIDTH) * TILE_WIDTH;
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
  if (seq === 0) return { seq, prev: ZERO_HASH, frontier: new Frontier() };
  const reader = new NodeReader((tile) => source.tile(tile), checkpoint.size);
  const index = Math.floor((seq - 1) / TILE_WIDTH);
  const width = tileWidth(checkpoint.size, 0, index);
  const prev =
    tileHashes(await source.tile({ kind: 'hashes', level: 0, index, width }), width)[(seq - 1) % TILE_WIDTH] ??
    ZERO_HASH;
  const proof = await reader.inclusionProof(seq - 1, checkpoint.size);
  if (!inclusionHolds(prev, seq - 1, checkpoint, proof))
    findings.push({ seq: seq - 1, what: 'hash tile is not part of the signed tree' });
  return { seq, prev, frontier: Frontier.fromSubtrees(await reader.subtrees(seq)) };
}

/** Faults that nothing narrower explains: an altered entry damages all that is computed over it. */
function beside({ findings }: Walker, faults: readonly SourceFault[]): Finding[] {
  const exact = [...findings.map(({ seq }) => ({ first: seq, last: seq })), ...faults];
  const unexplained = faults.filter(
    ({ first, last }) =>
      !exact.some(
        (other) =>
          other.first >= first && other.last <= last && (other.last - other.first < last - first || !('what' in other)),
      ),
  );
  return unexplained.map(({ first, what }) => ({ seq: Math.max(first, 0), what }));
}

async function walk(
  walker: Walker,
  size: number,
  source: LogSource,
  options: VerifyOptions,
  upper: UpperTiles,
): Promise<number> {
  const openings = source.openings?.(walker.size, size)[Symbol.asyncIterator]();
  const detailCheck = new DetailCheck(walker, openings);
  const first = walker.size;
  while (walker.size < size) {
    const index = walker.size / TILE_WIDTH;
    const width = tileWidth(size, 0, index);
    for (const [seq, leaf] of await walkBundle(walker, source, index, width)) await detailCheck.take(seq, leaf);
    await upper.check();
    options.progress?.(walker.size - first, size - first);
  }
  await openings?.return?.();
  return detailCheck.checked;
}

async function walkBundle(walker: Walker, source: LogSource, index: number, width: number): Promise<Map<number, Leaf>> {
  const [bundle, tile] = await Promise.all([
    source.tile({ kind: 'entries', index, width }),
    source.tile({ kind: 'hashes', level: 0, index, width }),
  ]);
  const hashes = orMalformed(() => tileHashes(tile, width));
  if (hashes === undefined) walker.report(index * TILE_WIDTH, 'hash tile is malformed');
  const entries = orMalformed(() => decodeBundle(bundle, width));
  const leaves = new Map<number, Leaf>();
  for (let i = 0; i < width; i += 1) {
    const bytes = entries?.[i];
    const leaf = bytes === undefined ? undefined : walker.push(bytes, hashes?.[i]);
    if (bytes === undefined) walker.pushMissing(hashes?.[i], 'entry bundle is damaged');
    if (leaf !== undefined) leaves.set(index * TILE_WIDTH + i, leaf);
  }
  return leaves;
}

/** Merges openings, which come in order, into the walk; nothing prunes details, so a gap is a finding. */
class DetailCheck {
  checked = 0;
  readonly #walker: Walker;
  readonly #openings: AsyncIterator<Opening> | undefined;
  #next: Opening | undefined;
  #started = false;

  constructor(walker: Walker, openings: AsyncIterator<Opening> | undefined) {
    this.#walker = walker;
    this.#openings = openings;
  }

  async take(seq: number, leaf: Leaf): Promise<void> {
    if (this.#openings === undefined) return;
    while (!this.#started || (this.#next !== undefined && this.#next.seq < seq)) await this.#advance();
    if (this.#next?.seq !== seq) return this.#walker.report(seq, 'detail is missing');
    this.#walker.detail(seq, leaf, commitmentPreimage(this.#next.salt, this.#next.detail));
    this.checked += 1;
  }

  async #advance(): Promise<void> {
    this.#started = true;
    const step = await this.#openings?.next();
    this.#next = step === undefined || step.done === true ? undefined : step.value;
  }
}

/** The known checkpoint must be a prefix, by a consistency proof out of the tiles. */
async function inconsistency(known: Checkpoint, now: Checkpoint, source: LogSource): Promise<Finding[]> {
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
