import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connectCql } from '@sentinel/service-kit/cql/connect';
import { silentLogger } from '@sentinel/service-kit/logging';
import { HistoryTail } from '../../replay/history-tail.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, runCql } from '../../testing/cassandra.js';
import { FileHistory } from './file-history.js';
import type { HistoryStore } from './history-store.js';
import { INSERT_RECORD, recordRow } from './scylla/rows.js';
import { ScyllaHistory } from './scylla/scylla-history.js';
import { ScyllaLog } from './scylla/scylla-log.js';
import { type HistoryPlace, historyContract, record } from './testing/contract.js';

/** Small, so that a test has several. */
const SEGMENT_BYTES = 4096;

async function files(): Promise<HistoryPlace> {
  const dir = mkdtempSync(join(tmpdir(), 'sentinel-history-'));
  return {
    open: () => FileHistory.open(dir, silentLogger(), SEGMENT_BYTES),
    log: () => new HistoryTail(dir),
    remove: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

const CLUSTER = ownKeyspace();
const TABLES = ['records', 'device_days', 'day_nodes', 'spools'];

/** One keyspace, emptied after each test. */
async function cluster(): Promise<HistoryPlace> {
  return {
    open: () => ScyllaHistory.open({ cluster: CLUSTER, retentionDays: 365 }),
    log: () => new ScyllaLog(CLUSTER),
    remove: () => runCql(CLUSTER, ...TABLES.map((table) => `TRUNCATE ${table}`)),
  };
}

describe('a history in Cassandra', { skip: CASSANDRA.skip }, () => {
  const found = async (history: HistoryStore): Promise<number[]> => {
    const sequences = [];
    for await (const entry of history.read('even', 0, null)) sequences.push(entry.record.sequence);
    return sequences;
  };

  it('shows a record only once those below it are there', async () => {
    const place = await cluster();
    const history = await place.open();
    const client = await connectCql(CLUSTER, 'correlation_engine');
    const halfWritten = async (sequence: number): Promise<void> => {
      await client.execute(INSERT_RECORD, recordRow(record(sequence), 86_400), { prepare: true });
    };
    try {
      await history.append([1, 2, 3].map((sequence) => record(sequence)));
      await halfWritten(6);
      assert.deepEqual(await found(history), [2]);
      await history.append([4, 5, 6].map((sequence) => record(sequence)));
      assert.deepEqual(await found(history), [6, 4, 2]);
    } finally {
      await client.shutdown();
      await history.close();
      await place.remove();
    }
  });

  it('a mark that an engine writes late, which leads no more, takes none back', async () => {
    const place = await cluster();
    const [leader, stale] = [await place.open(), await place.open()];
    const third = await place.open();
    try {
      await leader.append([1, 2, 3, 4, 5].map((sequence) => record(sequence)));
      await stale.append([1, 2, 3].map((sequence) => record(sequence)));
      const { node, spoolId } = record(1);
      await third.refresh(node, spoolId);
      assert.equal(third.archivedThrough(node, spoolId), 5);
    } finally {
      for (const each of [leader, stale, third]) await each.close();
      await place.remove();
    }
  });
});

historyContract('segment files', files);
historyContract('Cassandra', cluster, CASSANDRA.skip);
if (CASSANDRA.skip === false) after(() => dropKeyspace(CLUSTER));
