/** A flipped bit in any column of the rows of entries is put back, row for row, out of a copy and out of what the rows say of each other. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Client, types } from 'cassandra-driver';
import { openLedger } from '../../open-ledger.js';
import { type Copy, type HeldBundle, readBundle } from '../../repair/bundle.js';
import { RepairJournal } from '../../repair/journal.js';
import { Repairer } from '../../repair/repairer.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, withClient } from '../../testing/cassandra.js';
import { draftOf, freshFolder, ledgerOptions, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { Turns } from '../../turns.js';
import { verifyLog } from '../../verify/verify-log.js';
import { scyllaBackend } from './scylla-backend.js';

type Row = Record<string, unknown>;

const KEYS = {
  leaves: ['log', 'bucket', 'first_seq', 'epoch', 'batch_id'],
  details: ['log', 'bucket', 'first_seq', 'epoch', 'batch_id'],
  hashes: ['log', 'level', 'bucket', 'first', 'epoch'],
} as const;
type Table = keyof typeof KEYS;

describe('a flipped bit in a cluster', { skip: CASSANDRA.skip }, () => {
  const config = ownKeyspace();
  const backend = scyllaBackend(config);
  let copy: Copy;
  before(async () => {
    const { ledger, close } = await openLedger(ledgerOptions(backend));
    for (const count of [3, 1, 300])
      await ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(n))));
    const { size } = ledger.checkpoint;
    await close();
    const source = await backend.openSource();
    const bundles: HeldBundle[] = [];
    for (const index of [0, 1]) bundles.push(await readBundle(source, index, size));
    await source.close();
    copy = { name: 'backup', bundle: (index) => Promise.resolve(bundles[index] as HeldBundle) };
  });
  after(async () => await dropKeyspace(config));

  const repairer = (): Repairer =>
    new Repairer({
      ...{ backend, key: TEST_KEY.verifier, turns: new Turns(), journal: new RepairJournal(`${freshFolder()}.repair`) },
      ...{ nowUs: () => 1, randomBytes, record: () => Promise.resolve(9), repaired: () => undefined },
    });

  const rowsOf = async (client: Client, table: Table): Promise<Row[]> =>
    (await client.execute(`SELECT * FROM ${table}`, [], { prepare: true })).rows.map((row) => ({ ...row }));

  async function insert(client: Client, table: Table, row: Row): Promise<void> {
    const names = Object.keys(row).filter((name) => row[name] !== undefined && !name.startsWith('__'));
    const marks = names.map(() => '?').join(', ');
    const values = names.map((name) => row[name]);
    await client.execute(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`, values, { prepare: true });
  }

  async function remove(client: Client, table: Table, row: Row): Promise<void> {
    const where = KEYS[table].map((name) => `${name} = ?`).join(' AND ');
    const values = KEYS[table].map((name) => row[name]);
    await client.execute(`DELETE FROM ${table} WHERE ${where}`, values, { prepare: true });
  }

  for (const [table, column, step] of [
    ['leaves', 'record', 1501],
    ['details', 'record', 701],
    ['hashes', 'hashes', 1009],
    ['leaves', 'first_seq', 3],
    ['leaves', 'epoch', 3],
    ['leaves', 'batch_id', 61],
    ['details', 'first_seq', 3],
    ['details', 'epoch', 3],
    ['details', 'batch_id', 61],
    ['hashes', 'first', 4],
    ['hashes', 'epoch', 4],
  ] as const)
    it(`in ${column} of ${table} is put back`, async () => {
      await withClient(config, async (client) => {
        const intact = await rowsOf(client, table);
        for (const [i, row] of intact.entries())
          for (let bit = (i * 7) % step; bit < Math.min(bitsOf(row[column]), step * 3); bit += step) {
            await remove(client, table, row);
            await insert(client, table, { ...row, [column]: flipped(row[column], bit) });
            const { damage, left } = await repairer().repair([copy], 'tester');
            assert.ok(damage.length > 0, `bit ${bit} of row ${i} is not found`);
            assert.deepEqual(left, [], `bit ${bit} of row ${i}`);
            assert.deepEqual(textOf(await rowsOf(client, table)), textOf(intact), `bit ${bit} of row ${i}`);
          }
      });
      const source = await backend.openSource();
      assert.deepEqual((await verifyLog(source, TEST_KEY.verifier).finally(() => source.close())).findings, []);
    });
});

function bitsOf(value: unknown): number {
  return Buffer.isBuffer(value) ? value.length * 8 : 10;
}

function flipped(value: unknown, bit: number): unknown {
  if (!Buffer.isBuffer(value)) return types.Long.fromNumber(Number(value) ^ (1 << bit));
  const copy = Buffer.from(value);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

function textOf(rows: readonly Row[]): string[] {
  const textOfColumn = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('hex') : String(value));
  return rows
    .map((row) =>
      Object.keys(row)
        .sort()
        .map((name) => `${name}=${textOfColumn(row[name])}`)
        .join(' '),
    )
    .sort();
}
