/** A log as its folder holds it, for verification: nothing is believed, nothing written, and a writer may be at work. */
import { RECORD_HEADER_BYTES, readHeader } from '../../commit/record.js';
import { salvageDetails, salvageEntries } from '../../commit/salvage.js';
import { IndexCheck } from '../../index/index-check.js';
import { LEAF_TAIL_BYTES } from '../../leaf/leaf.js';
import { encodeBundle } from '../../tiles/bundle.js';
import { type HashTile, TILE_WIDTH, type Tile, tileWidth } from '../../tiles/path.js';
import { HASH_BYTES } from '../../tree/hash.js';
import {
  type ClaimedPruned,
  type LogSource,
  type Opening,
  SourceError,
  type SourceFault,
  StoredOpening,
} from '../../verify/source.js';
import type { CheckpointPlace } from '../backend.js';
import { type Landmark, MalformedHeadError } from '../head.js';
import { blockFiles } from './block-files.js';
import { CommitTable } from './commit-table.js';
import { nodeDisk } from './disk.js';
import { readWhole } from './files.js';
import { guardState } from './guard.js';
import { HashColumns } from './hash-columns.js';
import { type FileHead, HeadFile } from './head-file.js';
import { type Layout, layoutOf } from './layout.js';
import { PrunedLog } from './pruned-log.js';
import { type RawRecord, RawRecords } from './raw-records.js';
import { strayBytes } from './stored-ends.js';

const NOTHING = Buffer.alloc(0);
/** Divides the number of tiles in a file. */
const TILES_AHEAD = 32;
const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
const UNGUARDED = 'nothing shows whether the log went back in time';
/** Commits whose details may still be asked for: more than one bundle can hold. */
const KEPT_COMMITS = 2 * TILE_WIDTH;

interface SplitCommit {
  readonly firstSeq: number;
  readonly header: Buffer;
  readonly detailLengths: readonly (number | undefined)[];
}

export class FolderSource implements LogSource {
  readonly #layout: Layout;
  readonly #table: CommitTable | undefined;
  readonly #pruned: PrunedLog;
  readonly #size: number;
  readonly #note: string;
  readonly #columns: HashColumns;
  readonly #index: IndexCheck;
  readonly #faults: SourceFault[] = [];
  readonly #commits = new Map<number, SplitCommit>();
  #entries: RawRecords | undefined;
  /** Tiles of hashes that were read ahead. */
  #ahead: { readonly level: number; readonly index: number; readonly bytes: Buffer } = {
    level: 0,
    index: 0,
    bytes: NOTHING,
  };
  #leaves: Buffer[] = [];
  /** Seq of the first of `#leaves`. */
  #leavesFrom = 0;

  private constructor(layout: Layout, table: CommitTable | undefined, pruned: PrunedLog, size: number, note: string) {
    this.#layout = layout;
    this.#table = table;
    this.#pruned = pruned;
    this.#size = size;
    this.#note = note;
    this.#columns = new HashColumns(layout.hashes, size, nodeDisk);
    this.#index = new IndexCheck(blockFiles(layout.index, nodeDisk));
  }

  /** `known`: what is to be verified; by default the checkpoint in the folder or, where that is none, the one beside it. @throws SourceError */
  static async open(
    directory: string,
    known?: { readonly note: string; readonly size: number },
    place: CheckpointPlace = 'first',
  ): Promise<FolderSource> {
    const layout = layoutOf(directory);
    const { note, size, wrong } = known === undefined ? await newestCheckpoint(layout, place) : { ...known, wrong: [] };
    const blamed = [...wrong];
    const pruned = await PrunedLog.openDamaged(layout, (what) => blamed.push(what));
    const source = new FolderSource(layout, await CommitTable.openReadOnly(layout.commits), pruned, size, note);
    for (const what of blamed) source.#blame(what);
    return source;
  }

  async pruned(): Promise<ClaimedPruned> {
    const { leaves, details, prunings } = this.#pruned.state;
    const announced: Opening[] = [];
    if (this.#pruned.salvaged) announced.push(...(await this.#landmarks('prune')));
    for (const seq of prunings) announced.push(...(await this.#openingAt(seq)));
    return { leaves: leaves.end, details: details.end, announced };
  }

  async rotations(): Promise<readonly Opening[]> {
    return await this.#landmarks('key_rotation');
  }

  /** Entries of a kind, of which each names the one before; oldest first. */
  async #landmarks(kind: Landmark): Promise<readonly Opening[]> {
    const found: Opening[] = [];
    let seq = await this.#newestOf(kind);
    while (seq !== undefined) {
      const [opening] = await this.#openingAt(seq);
      if (opening !== undefined && seq < this.#size) found.unshift(opening);
      const previous = previousOf(opening);
      seq = previous !== undefined && previous < seq ? previous : undefined;
    }
    return found;
  }

  async *keptLeaves(from: number, to: number): AsyncGenerator<{ readonly seq: number; readonly leaf: Uint8Array }> {
    for await (const { seq, bytes } of this.#pruned.keptLeaves.items(from, to)) yield { seq, leaf: bytes };
  }

  checkpoint(): Promise<string> {
    return Promise.resolve(this.#note);
  }

  async tile(tile: Tile): Promise<Uint8Array> {
    return tile.kind === 'hashes'
      ? await this.#hashes(tile)
      : encodeBundle(await this.#bundle(tile.index * TILE_WIDTH, tile.width));
  }

  async leaves(index: number, width: number): Promise<readonly Uint8Array[]> {
    return await this.#bundle(index * TILE_WIDTH, width);
  }

  /** Details of entries whose bundles were read just before. */
  async *openings(from: number, to: number): AsyncGenerator<readonly Opening[]> {
    const { end } = this.#pruned.state.details;
    for await (const { seq, bytes } of this.#pruned.keptDetails.items(from, Math.min(to, end)))
      yield [new StoredOpening(seq, bytes)];
    if (to > end) yield* this.#storedOpenings(Math.max(from, end), to);
  }

  async *#storedOpenings(from: number, to: number): AsyncGenerator<readonly Opening[]> {
    const start = await this.#startOf(from);
    const records = new RawRecords(this.#layout.details, 'details', this.#table, {
      commit: start.commit,
      position: start.details,
    });
    try {
      for (let seq = start.firstSeq; seq < to; ) {
        const record = await records.next();
        const split = this.#commits.get(record?.commit ?? -1);
        if (record === undefined || split === undefined) return;
        // One that goes on behind `to` is asked for again.
        if (split.firstSeq + split.detailLengths.length <= to) this.#commits.delete(record.commit);
        await this.#checkRow('details', record, split.firstSeq);
        if (record.before !== '') this.#blame(record.before);
        yield this.#openingsOf(record.bytes, record.fault, split, from, to);
        seq = split.firstSeq + split.detailLengths.length;
      }
    } finally {
      await records.close();
    }
  }

  /** Damage of what surrounds entries: frames, headers, head, index, commit table. */
  async faults(): Promise<readonly SourceFault[]> {
    return [
      ...this.#faults,
      ...this.#index.faults,
      ...(await this.#headFaults()),
      ...(await this.#keptFaults()),
      ...(await this.#besideFaults()),
    ];
  }

  async walked(first: number, leaves: Parameters<IndexCheck['take']>[1]): Promise<void> {
    await this.#index.take(first, leaves);
  }

  /** A file of its own, which says nothing of single entries. */
  #blame(what: string): void {
    const last = Math.max(this.#size - 1, 0);
    this.#faults.push({ first: last, last, what, apart: true });
  }

  async close(): Promise<void> {
    await this.#entries?.close();
    await this.#table?.close();
  }

  /** The detail of one entry, read beside the walk. */
  async #openingAt(seq: number): Promise<Opening[]> {
    // The head may be ahead of the checkpoint.
    const size = Math.max(this.#size, seq + 1);
    const beside = new FolderSource(this.#layout, this.#table, this.#pruned, size, this.#note);
    const index = Math.floor(seq / TILE_WIDTH);
    if (seq >= this.#pruned.state.details.end)
      await beside.#bundle(index * TILE_WIDTH, tileWidth(size, 0, index)).finally(() => beside.#entries?.close());
    const found: Opening[] = [];
    for await (const some of beside.openings(seq, seq + 1)) found.push(...some);
    return found;
  }

  async #keptFaults(): Promise<SourceFault[]> {
    const damaged = [...(await this.#pruned.keptLeaves.damaged()), ...(await this.#pruned.keptDetails.damaged())];
    return damaged.map(({ name, first, last }) => ({ first, last, what: `file kept/${name} is damaged` }));
  }

  /** Whoever walks the log asks for one tile of hashes after the other: several are read at once. */
  async #hashes(tile: HashTile): Promise<Uint8Array> {
    const at = (tile.index - this.#ahead.index) * TILE_BYTES;
    const end = at + tile.width * HASH_BYTES;
    if (tile.level === this.#ahead.level && at >= 0 && end <= this.#ahead.bytes.length)
      return this.#ahead.bytes.subarray(at, end);
    if (tile.level === 0 && tile.width === TILE_WIDTH && tile.index % TILES_AHEAD === 0) {
      const width = Math.min(TILES_AHEAD * TILE_WIDTH, this.#size - tile.index * TILE_WIDTH);
      const bytes = await this.#columns.readHashesIfThere(0, tile.index * TILE_WIDTH, width);
      this.#ahead = { level: 0, index: tile.index, bytes: bytes ?? NOTHING };
      if (bytes !== undefined) return bytes.subarray(0, TILE_BYTES);
    }
    return (await this.#columns.readIfThere(tile)) ?? NOTHING;
  }

  async #bundle(from: number, width: number): Promise<Buffer[]> {
    const readTo = this.#leavesFrom + this.#leaves.length;
    if (this.#entries === undefined || from < this.#leavesFrom || from > readTo) await this.#seek(from);
    while (this.#leavesFrom + this.#leaves.length < from + width && (await this.#readCommit()));
    const at = from - this.#leavesFrom;
    const bundle = Array.from({ length: width }, (_, i) => this.#leaves[at + i] ?? NOTHING);
    this.#leaves = this.#leaves.slice(at + width);
    this.#leavesFrom = from + width;
    return bundle;
  }

  async #seek(seq: number): Promise<void> {
    await this.#entries?.close();
    const start = await this.#startOf(seq);
    this.#entries = new RawRecords(this.#layout.entries, 'entries', this.#table, {
      commit: start.commit,
      position: start.entries,
    });
    this.#leaves = [];
    this.#leavesFrom = start.firstSeq;
  }

  async #startOf(seq: number) {
    const { leaves, details } = this.#pruned.state;
    const first = seq === details.end ? details : leaves;
    if (seq === first.end || this.#table === undefined || this.#table.count === 0) return first;
    const commit = await this.#table.find(seq);
    const row = await this.#table.row(commit);
    return row === undefined ? first : { commit, ...row };
  }

  async #readCommit(): Promise<boolean> {
    const record = await this.#entries?.next();
    if (record === undefined) return false;
    const { commit, bytes, fault, before } = record;
    const firstSeq = this.#leavesFrom + this.#leaves.length;
    const next = (await this.#table?.row(commit + 1))?.firstSeq;
    const stated = bytes.length >= RECORD_HEADER_BYTES ? bytes.readUInt32BE(RECORD_HEADER_BYTES - 4) : 0;
    const count = fault === '' || next === undefined || next <= firstSeq ? stated : next - firstSeq;
    const { items, badLengths } = salvageEntries(bytes, Math.min(count, this.#size - firstSeq), firstSeq);
    const last = firstSeq + Math.max(items.length, 1) - 1;
    if (before !== '') this.#blame(before);
    if (fault !== '') this.#fault(firstSeq, last, fault);
    if (fault === '' && !headerFits(bytes, commit, firstSeq))
      this.#fault(firstSeq, last, 'header of its entries record is not what it should be');
    for (const i of badLengths) this.#fault(firstSeq + i, firstSeq + i, 'its stored length is damaged');
    await this.#checkRow('entries', record, firstSeq);
    for (const item of items) this.#leaves.push(item?.subarray(1) ?? NOTHING);
    this.#remember(commit, {
      firstSeq,
      header: Buffer.from(bytes.subarray(0, RECORD_HEADER_BYTES)),
      detailLengths: items.map(detailLengthOf),
    });
    items.forEach((item, i) => {
      if (item !== undefined && item[0] !== 0) this.#fault(firstSeq + i, firstSeq + i, 'its stored prefix is damaged');
    });
    return true;
  }

  #fault(first: number, last: number, what: string): void {
    this.#faults.push({ first, last, what });
  }

  #remember(commit: number, split: SplitCommit): void {
    this.#commits.set(commit, split);
    const oldest = this.#commits.keys().next();
    if (this.#commits.size > KEPT_COMMITS && oldest.done !== true) this.#commits.delete(oldest.value);
  }

  async #checkRow(log: 'entries' | 'details', { commit, position }: RawRecord, firstSeq: number): Promise<void> {
    const row = await this.#table?.row(commit);
    if (row === undefined) return;
    const { segment, offset } = row[log];
    if (row.firstSeq === firstSeq && segment === position.segment && offset === position.offset) return;
    this.#fault(
      firstSeq,
      firstSeq,
      'commit table is damaged; it is made again when the file is removed before a start',
    );
  }

  #openingsOf(bytes: Buffer, fault: string, split: SplitCommit, from: number, to: number): Opening[] {
    const { firstSeq, header, detailLengths } = split;
    const last = firstSeq + Math.max(detailLengths.length, 1) - 1;
    const sameHeader = bytes.subarray(0, RECORD_HEADER_BYTES).equals(header);
    if (fault !== '') this.#fault(firstSeq, last, fault);
    else if (!sameHeader) this.#fault(firstSeq, last, 'records of its entries and its details are of two batches');
    const { items, badLengths } = salvageDetails(bytes, detailLengths);
    for (const i of badLengths) this.#fault(firstSeq + i, firstSeq + i, 'the stored length of its detail is damaged');
    const openings: Opening[] = [];
    for (const [i, item] of items.entries()) {
      const seq = firstSeq + i;
      if (seq < from || seq >= to) continue;
      // A detail that is there but cannot be read must not pass as a pruned one.
      const preimage = item ?? NOTHING;
      if (preimage[0] !== 2) this.#fault(seq, seq, 'the stored prefix of its detail is damaged');
      openings.push(new StoredOpening(seq, preimage));
    }
    return openings;
  }

  async #newestOf(kind: Landmark): Promise<number | undefined> {
    return (await this.#head())?.landmarks[kind];
  }

  async #headFaults(): Promise<SourceFault[]> {
    const at = { first: this.#size - 1, last: this.#size - 1 };
    try {
      const head = await new HeadFile(this.#layout.heads).read();
      if (head === undefined) return [{ ...at, what: 'head is missing' }];
      return head.size < this.#size ? [{ ...at, what: `head speaks of ${head.size} entries only` }] : [];
    } catch (error) {
      if (error instanceof MalformedHeadError || error instanceof SyntaxError)
        return [{ ...at, what: 'head is damaged' }];
      throw error;
    }
  }

  async #besideFaults(): Promise<SourceFault[]> {
    const at = { first: Math.max(this.#size - 1, 0), last: Math.max(this.#size - 1, 0), apart: true } as const;
    const state = await guardState(this.#layout, nodeDisk);
    const unguarded = state === 'there' || this.#size <= 1 ? [] : [`${this.#layout.guard} is ${state}: ${UNGUARDED}`];
    const stray = await strayBytes(this.#layout, async () => await this.#head());
    return [...unguarded, ...stray].map((what) => ({ ...at, what }));
  }

  /** Undefined where it is damaged, which is found out with the rest. */
  async #head(): Promise<FileHead | undefined> {
    try {
      return await new HeadFile(this.#layout.heads).read();
    } catch (error) {
      if (error instanceof MalformedHeadError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

/** That of the folder; where there is none, the one beside it. `place`: the one beside it although there is. @throws SourceError */
async function newestCheckpoint({ checkpoint, guard }: Layout, place: CheckpointPlace) {
  const notes = [checkpoint, guard].map(async (path) => ({ path, note: (await readWhole(path))?.toString('utf8') }));
  const wrong: string[] = [];
  for (const { path, note } of await Promise.all(notes)) {
    const size = sizeIn(note);
    if (path === checkpoint && place === 'second') wrong.push(`${path} is no checkpoint by the key of this log`);
    else if (note === undefined) wrong.push(`${path} is missing`);
    else if (size === undefined) wrong.push(`${path} is ${note === '' ? 'empty' : 'damaged: it states no size'}`);
    else return { note, size, wrong: wrong.map((what) => `${what}; the log was verified by ${guard}`) };
  }
  throw new SourceError(`${wrong.join(', ')}: no log was ever written there, or they were removed`);
}

function sizeIn(note: string | undefined): number | undefined {
  const size = note?.split('\n')[1] ?? '';
  return /^[1-9]\d{0,15}$/.test(size) ? Number(size) : undefined;
}

function previousOf(opening: Opening | undefined): number | undefined {
  try {
    const { previous } = JSON.parse(Buffer.from(opening?.detail ?? []).toString('utf8')) as { previous?: unknown };
    return typeof previous === 'number' ? previous : undefined;
  } catch {
    return undefined;
  }
}

function headerFits(record: Buffer, commit: number, firstSeq: number): boolean {
  try {
    const header = readHeader(record);
    return header.commit === commit && header.firstSeq === firstSeq;
  } catch {
    return false;
  }
}

/** Read from the leaf's end, which is of fixed length: whether it is a leaf is judged elsewhere. */
function detailLengthOf(preimage: Buffer | undefined): number | undefined {
  return preimage === undefined || preimage.length < LEAF_TAIL_BYTES
    ? undefined
    : preimage.readUInt32BE(preimage.length - LEAF_TAIL_BYTES);
}
