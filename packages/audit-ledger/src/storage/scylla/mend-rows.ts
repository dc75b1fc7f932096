/**
 * Puts damaged rows of a cluster back as they were committed. A row is written before another of the same entries is deleted, and
 * always with the content that its key had when it was committed.
 */
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { allRows } from '@sentinel/service-kit/cql/rows';
import { joinItems } from '../../commit/record.js';
import { BLOCK_ENTRIES } from '../../index/block.js';
import { LeafView } from '../../leaf/leaf.js';
import type { Absent, Right, RightLog } from '../../repair/right-log.js';
import { TILE_WIDTH } from '../../tiles/path.js';
import { LEAF_PREFIX } from '../../tree/hash.js';
import { LENGTH_BYTES, MAX_ROW_BYTES, withHeader } from './batch-rows.js';
import { blockRows } from './blocks.js';
import { salvageRow } from './damaged-rows.js';
import type { LogRows, RecordRow, RecordTable } from './log-rows.js';
import { PER_BUCKET } from './log-rows.js';
import { mendHashes } from './mend-hashes.js';
import { type Batch, Provenance, statedIn } from './provenance.js';
import { openLogRows } from './scylla-source.js';

/** Neighbours of one batch. */
export interface Run {
  readonly first: number;
  readonly end: number;
  readonly batch: Batch;
}

export async function mendRows(config: CqlConfig, seqs: readonly number[], right: RightLog): Promise<void> {
  const rows = await openLogRows(config);
  try {
    const { size } = right.checkpoint;
    for (const index of new Set(seqs.map((seq) => Math.floor(seq / TILE_WIDTH)))) {
      const [from, end] = [index * TILE_WIDTH, Math.min((index + 1) * TILE_WIDTH, size)];
      await new BundleMender(rows, right, from, end).mend();
    }
    await dropBlocks(rows, seqs);
  } finally {
    await rows.cluster.close();
  }
}

class BundleMender {
  readonly #rows: LogRows;
  readonly #right: RightLog;
  readonly #from: number;
  readonly #end: number;
  /** Of details, as far as their leaves are known. */
  #lengths: readonly (number | undefined)[] = [];
  readonly #lengthAt = (seq: number): number | undefined => this.#lengths[seq - this.#from];

  constructor(rows: LogRows, right: RightLog, from: number, end: number) {
    this.#rows = rows;
    this.#right = right;
    this.#from = from;
    this.#end = end;
  }

  async mend(): Promise<void> {
    const [from, end] = [this.#from, this.#end];
    const right = await this.#right.leaves(from, end);
    this.#lengths = right.map((leaf) => (typeof leaf === 'object' ? new LeafView(leaf.bytes).detailLength : undefined));
    const leaves = await this.#stored('leaves');
    const details = await this.#stored('details');
    const hashes = await allRows(this.#rows.hashes(0, from, end));
    const provenance = new Provenance(from, end);
    for (const row of leaves) provenance.row(row, ...this.#coverOf('leaves', row));
    for (const row of details) provenance.row(row, ...this.#coverOf('details', row));
    for (const { first, epoch, hashes: bytes } of hashes) provenance.epoch(epoch, first, Math.floor(bytes.length / 32));
    const runs = runsOf(provenance.batches(await this.#batchBefore()), from);
    const preimages = right.map(withPrefix);
    await this.#mendTable('leaves', leaves, runs, preimages);
    await this.#mendTable('details', details, runs, await this.#right.preimages(from, end));
    await mendHashes(this.#rows, this.#right, { from, end }, runs, hashes);
  }

  /** Rows of the bundle, and those that their header says are of it though they lie elsewhere. */
  async #stored(table: RecordTable): Promise<RecordRow[]> {
    const [from, end] = [this.#from, this.#end];
    const rows = await allRows(this.#rows.records(table, from, end));
    const covered = new Set(rows.filter(isInPlace).flatMap((row) => seqsOf(...this.#coverOf(table, row))));
    if (seqsOf(from, end - from).every((seq) => covered.has(seq))) return rows;
    const start = Math.floor(from / PER_BUCKET[table]) * PER_BUCKET[table];
    const elsewhere = [];
    for await (const row of this.#rows.records(table, start, start + PER_BUCKET[table])) {
      const stated = statedIn(row);
      const inside = row.first >= from && row.first < end;
      if (!inside && stated !== undefined && stated.firstSeq >= from && stated.firstSeq < end) elsewhere.push(row);
    }
    return [...rows, ...elsewhere];
  }

  /** First entry and number of entries: of a row in the bundle by its key, of one elsewhere by its header. */
  #coverOf(table: RecordTable, row: RecordRow): [number, number] {
    const stated = statedIn(row);
    const inside = row.first >= this.#from && row.first < this.#end;
    const first = inside ? row.first : (stated?.firstSeq ?? row.first);
    // By its lengths, where the stated count is damaged: a row must not be taken for a shorter one.
    const count = inside ? salvageRow(table, row, this.#lengthAt).items.length : (stated?.count ?? 1);
    return [first, Math.min(Math.max(count, 1), this.#end - first)];
  }

  async #batchBefore(): Promise<Batch | undefined> {
    const last = this.#from - 1;
    if (last < 0) return undefined;
    const rows = await allRows(this.#rows.records('leaves', this.#from - TILE_WIDTH, this.#from));
    return rows.flatMap((row) => statedIn(row) ?? []).toSorted((a, b) => b.commit - a.commit)[0];
  }

  async #mendTable(
    table: RecordTable,
    stored: readonly RecordRow[],
    runs: readonly Run[],
    items: readonly (Right | Absent)[],
  ): Promise<void> {
    const { cluster } = this.#rows;
    for (const run of runs) {
      const parts = items.slice(run.first - this.#from, run.end - this.#from);
      // What nobody has stays as it is, with the rows around it.
      if (parts.includes('lost')) continue;
      const written = rowsOf(table, run, parts);
      const missing = written.filter(
        (row) => !stored.some((other) => sameKey(other, row) && other.record.equals(row.record)),
      );
      await cluster.write(missing.map((row) => this.#rows.insertRecord(table, row)));
      const others = stored.filter(
        (row) => this.#isOf(table, row, run) && !written.some((other) => sameKey(other, row)),
      );
      await cluster.write(others.map((row) => this.#rows.deleteRow(table, row)));
    }
  }

  /** A row with entries of the run that is of its batch, or would take the place of a row that is. */
  #isOf(table: RecordTable, row: RecordRow, { first, end, batch }: Run): boolean {
    const [from, count] = this.#coverOf(table, row);
    if (from >= end || from + count <= first) return false;
    const stated = statedIn(row);
    const same = row.batchId.equals(batch.batchId) || stated?.batchId.equals(batch.batchId) === true;
    return same || row.epoch >= batch.epoch;
  }
}

/** A block that is not there is made again; it may be wrong under a digest that fits. */
async function dropBlocks(rows: LogRows, seqs: readonly number[]): Promise<void> {
  for (const block of new Set(seqs.map((seq) => Math.floor(seq / BLOCK_ENTRIES))))
    for (const table of ['blocks', 'event_ids'] as const) {
      if ((await blockRows(rows, table).load(block)) === undefined) continue;
      const query = `DELETE FROM ${table} WHERE log = ? AND block = ?`;
      await rows.cluster.write([{ query, params: [rows.log, block] }]);
    }
}

function runsOf(batches: readonly (Batch | undefined)[], from: number): Run[] {
  const runs: { first: number; end: number; batch: Batch }[] = [];
  for (const [i, batch] of batches.entries()) {
    const last = runs.at(-1);
    if (batch === undefined) continue;
    if (last?.end === from + i && last.batch.batchId.equals(batch.batchId)) last.end += 1;
    else runs.push({ first: from + i, end: from + i + 1, batch });
  }
  return runs;
}

/** As a batch writes them, and a pruning leaves them. */
function rowsOf(table: RecordTable, { first, batch }: Run, parts: readonly (Right | Absent)[]): RecordRow[] {
  const rows: RecordRow[] = [];
  let [start, items, bytes]: [number, Uint8Array[], number] = [first, [], 0];
  const cut = (next: number): void => {
    const header = { ...batch, firstSeq: start, count: items.length };
    const record = withHeader(header, joinItems(items, LENGTH_BYTES[table]));
    if (items.length > 0) rows.push({ first: start, epoch: batch.epoch, batchId: batch.batchId, record });
    [start, items, bytes] = [next, [], 0];
  };
  for (const [i, part] of parts.entries()) {
    const seq = first + i;
    const size = typeof part === 'object' ? LENGTH_BYTES[table] + part.bytes.length : 0;
    if (typeof part !== 'object') cut(seq + 1);
    else {
      if (items.length > 0 && bytes + size > MAX_ROW_BYTES) cut(seq);
      items.push(part.bytes);
      bytes += size;
    }
  }
  cut(first + parts.length);
  return rows;
}

function withPrefix(item: Right | Absent): Right | Absent {
  return typeof item === 'object' ? { ...item, bytes: Buffer.concat([Buffer.of(LEAF_PREFIX), item.bytes]) } : item;
}

function isInPlace(row: RecordRow): boolean {
  const stated = statedIn(row);
  return stated?.firstSeq === row.first && stated.epoch === row.epoch && stated.batchId.equals(row.batchId);
}

function sameKey(a: RecordRow, b: RecordRow): boolean {
  return a.first === b.first && a.epoch === b.epoch && a.batchId.equals(b.batchId);
}

function seqsOf(first: number, count: number): number[] {
  return Array.from({ length: Math.max(count, 0) }, (_, i) => first + i);
}
