/** A log as its cluster holds it, for verification: nothing is believed, nothing written, and a writer may be at work. */
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { IndexCheck } from '../../index/index-check.js';
import { LeafView, MalformedLeafError } from '../../leaf/leaf.js';
import { type Pruning, pruningIn } from '../../retention/pruning.js';
import { keeps } from '../../retention/scope.js';
import { encodeBundle } from '../../tiles/bundle.js';
import { type HashTile, TILE_WIDTH, type Tile } from '../../tiles/path.js';
import { type ClaimedPruned, type Opening, SourceError, type SourceFault, StoredOpening } from '../../verify/source.js';
import type { CheckpointPlace, StoredLog } from '../backend.js';
import { blockRows } from './blocks.js';
import { BundleStream } from './bundle-stream.js';
import { readCheckpoints } from './checkpoints.js';
import { Cluster } from './cluster.js';
import { detailLengthOf, type SalvagedRow, salvageRow } from './damaged-rows.js';
import { EventIdCheck } from './event-id-check.js';
import { faultsBeside } from './faults-beside.js';
import { logNames } from './log-names.js';
import { type HashRow, LogRows, place, type RecordRow } from './log-rows.js';
import { claimedIn, rotationsIn } from './pruned-rows.js';
import { splitHashes } from './scylla-reads.js';
import { SourceCheck } from './source-check.js';

const NOTHING = Buffer.alloc(0);
/** Bundles whose details may still be asked for. */
const KEPT_BUNDLES = 4;

export interface KnownSize {
  readonly note: string;
  readonly size: number;
  /** Found wrong with where it came from. */
  readonly wrong?: readonly string[];
}

/** What a leaf and its row say of a detail. */
interface Expected {
  readonly length: number | undefined;
  readonly commit: number | undefined;
}

export class ScyllaSource implements StoredLog {
  readonly #rows: LogRows;
  readonly #known: KnownSize;
  readonly #index: IndexCheck;
  readonly #eventIds: EventIdCheck;
  readonly #entries: BundleStream<RecordRow>;
  readonly #hashes: BundleStream<HashRow>;
  readonly #check = new SourceCheck();
  /** What leaves of bundles read last say of their details, by index. */
  readonly #leaves = new Map<number, readonly Expected[]>();

  private constructor(rows: LogRows, known: KnownSize) {
    this.#rows = rows;
    this.#known = known;
    this.#index = new IndexCheck(blockRows(rows, 'blocks'));
    this.#eventIds = new EventIdCheck(blockRows(rows, 'event_ids').load);
    this.#entries = new BundleStream((from) => rows.records('leaves', from, known.size));
    this.#hashes = new BundleStream((from) => rows.hashes(0, from, known.size));
  }

  /** `known`: what is to be verified; by default the log's newest checkpoint. @throws SourceError; SentinelError where the cluster is away */
  static async open(config: CqlConfig, known?: (rows: LogRows) => Promise<KnownSize>): Promise<ScyllaSource> {
    const rows = await openLogRows(config);
    try {
      return new ScyllaSource(rows, await (known ?? newestCheckpoint)(rows));
    } catch (error) {
      await rows.cluster.close();
      throw error;
    }
  }

  checkpoint(): Promise<string> {
    return Promise.resolve(this.#known.note);
  }

  async tile(tile: Tile): Promise<Uint8Array> {
    return tile.kind === 'hashes' ? await this.#hashTile(tile) : await this.#bundle(tile.index, tile.width);
  }

  /** Details of entries whose bundles were read just before. */
  async *openings(from: number, to: number): AsyncGenerator<readonly Opening[]> {
    const details = new BundleStream((start) => this.#rows.records('details', start, to));
    try {
      for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1) {
        const start = index * TILE_WIDTH;
        const lengthAt = (seq: number): number | undefined => this.#leaves.get(index)?.[seq - start]?.length;
        const rows = (await details.bundle(index)).map((row) => salvageRow('details', row, lengthAt));
        const items = this.#placed(rows, start, Math.min(to, start + TILE_WIDTH));
        this.#check.add(otherCommits(start, items, this.#leaves.get(index) ?? []));
        yield items.flatMap((item, i) =>
          item === undefined || start + i < from ? [] : [new StoredOpening(start + i, item.preimage)],
        );
      }
    } finally {
      await details.close();
    }
  }

  /** Without those that are there only because their pruning has not come to them yet. */
  async *keptLeaves(from: number, to: number): AsyncGenerator<{ readonly seq: number; readonly leaf: Uint8Array }> {
    const { leaves: end, announced } = await this.pruned();
    const pruning = announced.map(({ seq, detail }) => pruningIn(seq, detail)).find((each) => each?.leaves === end);
    for (let start = Math.floor(from / TILE_WIDTH) * TILE_WIDTH; start < to; start += TILE_WIDTH) {
      const width = Math.min(TILE_WIDTH, this.#known.size - start);
      for (const [i, item] of (await this.#leavesOf(start / TILE_WIDTH, width)).entries()) {
        const seq = start + i;
        const leaf = item?.preimage.subarray(1);
        if (leaf !== undefined && seq >= from && seq < to && !isGone(leaf, pruning)) yield { seq, leaf };
      }
    }
  }

  async pruned(): Promise<ClaimedPruned> {
    return await claimedIn(this.#rows, this.#known.size);
  }

  async rotations(): Promise<readonly Opening[]> {
    return await rotationsIn(this.#rows);
  }

  /** Damage of what surrounds entries: keys and headers of rows, head, index, producers, event ids. */
  async faults(): Promise<readonly SourceFault[]> {
    const at = {
      first: Math.max(this.#known.size - 1, 0),
      last: Math.max(this.#known.size - 1, 0),
      apart: true,
    } as const;
    const wrong = (this.#known.wrong ?? []).map((what) => ({ ...at, what }));
    return [
      ...wrong,
      ...this.#check.faults(),
      ...this.#index.faults,
      ...this.#eventIds.faults,
      ...(await faultsBeside(this.#rows, this.#known.size)),
    ];
  }

  async walked(first: number, leaves: readonly (LeafView | undefined)[]): Promise<void> {
    await this.#index.take(first, leaves);
    await this.#eventIds.take(first, leaves);
  }

  async close(): Promise<void> {
    await this.#entries.close();
    await this.#hashes.close();
    await this.#rows.cluster.close();
  }

  async #bundle(index: number, width: number): Promise<Uint8Array> {
    const items = await this.#leavesOf(index, width);
    return encodeBundle(items.map((item) => item?.preimage.subarray(1) ?? NOTHING));
  }

  async #leavesOf(index: number, width: number): Promise<(Placed | undefined)[]> {
    const rows = (await this.#entries.bundle(index)).map((row) => salvageRow('leaves', row));
    const from = index * TILE_WIDTH;
    const items = this.#placed(rows, from, from + width);
    this.#remember(
      index,
      items.map((item) => ({ length: detailLengthOf(item?.preimage), commit: item?.of.commit })),
    );
    this.#check.entries(
      index,
      items.map((item) => item?.of.row),
    );
    return items;
  }

  async #hashTile({ level, index, width }: HashTile): Promise<Uint8Array> {
    const from = index * TILE_WIDTH;
    const rows = level === 0 ? await this.#hashes.bundle(index) : await this.#upper(level, from, width);
    const placed = place(rows, (row) => splitHashes(row).map((hash) => ({ hash, row })), from, from + width);
    this.#check.hashes(
      level,
      from,
      placed.map((each) => each?.row),
    );
    const end = placed.findIndex((each) => each === undefined);
    return Buffer.concat((end < 0 ? placed : placed.slice(0, end)).map((each) => each?.hash ?? NOTHING));
  }

  async #upper(level: number, from: number, width: number): Promise<HashRow[]> {
    const rows: HashRow[] = [];
    for await (const row of this.#rows.hashes(level, from, from + width)) rows.push(row);
    return rows;
  }

  /** Items by position. A row that is not where its header says counts only where there is no other; the faults of a row that counts are kept. */
  #placed(rows: readonly SalvagedRow[], from: number, to: number): (Placed | undefined)[] {
    const ranked = rows.map((of) => ({ of, first: of.row.first, epoch: of.inPlace ? of.row.epoch : -1 }));
    const split = ({ of }: { of: SalvagedRow }) => of.items.map((item) => ({ preimage: item ?? NOTHING, of }));
    const items = place(ranked, split, from, to);
    for (const row of new Set(items.map((item) => item?.of))) this.#check.add(row?.faults ?? []);
    return items;
  }

  #remember(index: number, expected: readonly Expected[]): void {
    this.#leaves.set(index, expected);
    this.#leaves.delete(index - KEPT_BUNDLES);
  }
}

/** One that cannot be read is shown: it is damage. */
function isGone(leaf: Uint8Array, pruning: Pruning | undefined): boolean {
  try {
    return pruning !== undefined && !keeps(pruning.scopes, new LeafView(leaf));
  } catch (error) {
    if (error instanceof MalformedLeafError) return false;
    throw error;
  }
}

interface Placed {
  readonly preimage: Buffer;
  readonly of: SalvagedRow;
}

/** Details whose row is said to be of another commit than their leaf's. */
function otherCommits(
  from: number,
  details: readonly (Placed | undefined)[],
  leaves: readonly Expected[],
): readonly SourceFault[] {
  const seqs = details.flatMap((item, i) => {
    const commit = leaves[i]?.commit;
    return item !== undefined && commit !== undefined && item.of.commit !== commit ? [from + i] : [];
  });
  const [first, last] = [seqs[0], seqs.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [{ first, last, what: 'rows of its leaf and its detail are of two commits' }];
}

/** The one log of the keyspace. @throws SourceError */
export async function openLogRows(config: CqlConfig): Promise<LogRows> {
  const cluster = await Cluster.connect(config);
  try {
    const [log, second] = await logNames(cluster);
    if (log === undefined)
      throw new SourceError(`keyspace ${config.keyspace} holds no log: none was ever written there, or it was removed`);
    if (second !== undefined) throw new SourceError(`keyspace ${config.keyspace} holds two logs: ${log} and ${second}`);
    return new LogRows(cluster, log);
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** That of the newest writer; where it was removed, the one in the second place. */
export async function newestCheckpoint(rows: LogRows, place: CheckpointPlace = 'first'): Promise<KnownSize> {
  const wrong: string[] = [];
  for (const table of ['checkpoints', 'rollback_guard'] as const) {
    const note = (await readCheckpoints(rows, table)).at(-1)?.note;
    const size = Number(note?.split('\n')[1]);
    if (table === 'checkpoints' && place === 'second') wrong.push('the checkpoint is none by the key of this log');
    else if (note === undefined) wrong.push(`there is no checkpoint in ${table}`);
    else if (!Number.isSafeInteger(size)) wrong.push(`the checkpoint in ${table} states no size`);
    else return { note, size, wrong: wrong.map((what) => `${what}; the log was verified by that in ${table}`) };
  }
  throw new SourceError(`${wrong.join(', ')}: none was ever signed, or it was removed`);
}
