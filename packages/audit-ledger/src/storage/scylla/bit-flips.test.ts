/** Any flipped bit in any column of a log is found by a full verification, and the entry that it is in is named. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { types } from 'cassandra-driver';
import { RECORD_HEADER_BYTES } from '../../commit/record.js';
import { openCheckpoint } from '../../note/checkpoint.js';
import { NoteError } from '../../note/note.js';
import { openLedger } from '../../open-ledger.js';
import { CASSANDRA, dropKeyspace, ownKeyspace } from '../../testing/cassandra.js';
import { draftOf, ledgerOptions, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { type VerifyReport, verifyLog } from '../../verify/verify-log.js';
import { Cluster } from './cluster.js';
import { scyllaBackend } from './scylla-backend.js';

/** Entries of the commits of the log under test; the first is the genesis. */
const COMMITS = [1, 2, 1];
const ENTRIES = COMMITS.reduce((sum, count) => sum + count);
/** Bits of a number that are flipped: all that an epoch or a position of this log can have, and some above. */
const NUMBER_BITS = 12;

const KEYED_BY_RECORD = new Set(['leaves', 'details']);

type Row = Record<string, unknown>;

/** Every answer of the cluster is remembered, so that one bit of one of them can be another. */
class Remembered {
  readonly answers = new Map<string, Row[]>();
  flip: { readonly row: Row; readonly column: string; readonly bit: number } | undefined;

  async ask(query: string, params: readonly unknown[], ask: () => Promise<Row[]>): Promise<Row[]> {
    const key = `${query} ${JSON.stringify(params)}`;
    const rows = this.answers.get(key) ?? (await ask());
    this.answers.set(key, rows);
    return rows.map((row) => (row === this.flip?.row ? { ...row, [this.flip.column]: this.#flipped(row) } : row));
  }

  #flipped(row: Row): unknown {
    const { column, bit } = this.flip ?? { column: '', bit: 0 };
    const value = row[column];
    if (Buffer.isBuffer(value)) return flipped(value, bit);
    if (typeof value === 'string') return flipped(Buffer.from(value), bit).toString('latin1');
    return types.Long.fromNumber(Number(value) ^ (1 << bit));
  }
}

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function bitsOf(value: unknown): number {
  if (Buffer.isBuffer(value)) return value.length * 8;
  return typeof value === 'string' ? Buffer.from(value).length * 8 : NUMBER_BITS;
}

describe('a flipped bit in a cluster', { skip: CASSANDRA.skip }, () => {
  const config = ownKeyspace();
  const backend = scyllaBackend(config);
  const remembered = new Remembered();
  const { rows, first, serial, close } = Cluster.prototype;
  const { connect } = Cluster;
  let cluster: Cluster;

  before(async () => {
    const opened = await openLedger(ledgerOptions(backend));
    for (const [i, count] of COMMITS.slice(1).entries())
      await opened.ledger.ingest(
        requestOf(
          Array.from({ length: count }, (_, n) => draftOf(n)),
          1 + 10 * i,
        ),
      );
    await opened.close();
    cluster = await connect(config);
    Cluster.connect = () => Promise.resolve(cluster);
    const ofOne = (row: types.Row | undefined): Row[] => (row === undefined ? [] : [row]);
    const all = async (query: string, params: unknown[]): Promise<Row[]> => {
      const found: Row[] = [];
      for await (const row of rows.call(cluster, query, params)) found.push(row);
      return found;
    };
    Object.assign(Cluster.prototype, {
      async *rows(query: string, params: unknown[]) {
        yield* await remembered.ask(query, params, () => all(query, params));
      },
      first: async (query: string, params: unknown[]) =>
        (await remembered.ask(query, params, async () => ofOne(await first.call(cluster, query, params))))[0],
      serial: async (query: string, params: unknown[]) =>
        (await remembered.ask(query, params, async () => ofOne(await serial.call(cluster, query, params))))[0],
      close: () => Promise.resolve(),
    });
    const report = await verify();
    assert.ok(!(report instanceof Error), String(report));
    assert.deepEqual([report.findings, report.entries, report.details], [[], ENTRIES, ENTRIES]);
  });
  after(async () => {
    Object.assign(Cluster.prototype, { rows, first, serial, close });
    Cluster.connect = connect;
    await cluster.close();
    await dropKeyspace(config);
  });

  /** As the command does it. */
  async function verify(): Promise<VerifyReport | Error> {
    try {
      const guards = (await backend.guards()).map((note) => openCheckpoint(note, TEST_KEY.verifier));
      const known = guards.toSorted((a, b) => b.size - a.size)[0];
      const source = await backend.openSource();
      return await verifyLog(source, TEST_KEY.verifier, known === undefined ? {} : { known });
    } catch (error) {
      if (error instanceof Error) return error;
      throw error;
    }
  }

  /** Flips each `step`th bit of a column of every row of a table in turn. */
  async function flipAll(
    table: string,
    column: string,
    step: number,
    check: (found: VerifyReport | Error, row: Row, bit: number) => void,
  ): Promise<number> {
    let count = 0;
    const answers = [...remembered.answers].filter(([query]) => new RegExp(`FROM ${table} `).test(query));
    for (const row of new Set(answers.flatMap(([, found]) => found))) {
      if (row[column] === undefined || (row.record === undefined && KEYED_BY_RECORD.has(table))) continue;
      for (let bit = 0; bit < bitsOf(row[column]); bit += step) {
        remembered.flip = { row, column, bit };
        check(await verify(), row, bit);
        count += 1;
      }
    }
    remembered.flip = undefined;
    assert.ok(count > 0, `${table}.${column} is never read`);
    return count;
  }

  const seqsOf = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  const named = (report: VerifyReport | Error): number[] =>
    report instanceof Error ? [] : [...new Set(report.findings.map(({ seq }) => seq))];

  for (const [table, lengthBytes] of [
    ['leaves', 2],
    ['details', 4],
  ] as const) {
    it(`in ${table} is located`, async () => {
      await flipAll(table, 'record', 1, (report, row, bit) => {
        const places = placesOf(row.record as Buffer, Number(row.first_seq), lengthBytes);
        const at = places[bit >> 3] ?? [];
        assert.ok(!(report instanceof Error), String(report));
        assert.ok(!report.ok, `bit ${bit} of ${table} (entry ${at}) is not found`);
        for (const seq of named(report))
          assert.ok(at.includes(seq), `bit ${bit} is in ${at}, not ${seq}: ${JSON.stringify(report.findings)}`);
      });
    });

    it(`in the key of ${table} is located`, async () => {
      for (const column of ['first_seq', 'epoch', 'batch_id'])
        await flipAll(table, column, 1, (report, row, bit) => {
          const count = (row.record as Buffer).readUInt32BE(RECORD_HEADER_BYTES - 4);
          const at = seqsOf(Number(row.first_seq), count);
          assert.ok(
            report instanceof Error || named(report).some((seq) => at.includes(seq)),
            `bit ${bit} of ${column} of ${table}, row ${at}: ${JSON.stringify(report)}`,
          );
        });
    });
  }

  it('in a hash is located', async () => {
    await flipAll('hashes', 'hashes', 1, (report, row, bit) => {
      assert.deepEqual(named(report), [Number(row.first) + (bit >> 8)], `bit ${bit}`);
    });
    for (const column of ['first', 'epoch'])
      await flipAll('hashes', column, 1, (report) => assert.ok(report instanceof Error || !report.ok));
  });

  it('in head, producers and checkpoints is found', async () => {
    for (const [table, columns] of [
      ['heads', ['epoch', 'size', 'chain_head', 'batch_id', 'owner', 'head']],
      ['marks', ['commit_no', 'epoch', 'marks']],
      ['checkpoints', ['epoch', 'note']],
      ['rollback_guard', ['note']],
    ] as const)
      for (const column of columns)
        await flipAll(table, column, 5, (report, _row, bit) => {
          const found =
            report instanceof Error ? report instanceof NoteError || report.name === 'SourceError' : !report.ok;
          assert.ok(found, `bit ${bit} of ${table}.${column}: ${String(report)}`);
        });
  });
});

/** Which entries a byte of a record belongs to: one for an item, all of the row for what frames it. */
function placesOf(record: Buffer, firstSeq: number, lengthBytes: number): number[][] {
  const count = record.readUInt32BE(RECORD_HEADER_BYTES - 4);
  const all = Array.from({ length: count }, (_, i) => firstSeq + i);
  const places = Array.from({ length: RECORD_HEADER_BYTES }, () => all);
  for (const seq of all) {
    const length = lengthBytes + record.readUIntBE(places.length, lengthBytes);
    for (let i = 0; i < length; i += 1) places.push([seq]);
  }
  assert.equal(places.length, record.length);
  return places;
}
