import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { HistoryTail } from '../../replay/history-tail.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, runCql } from '../../testing/cassandra.js';
import { FileHistory } from './file-history.js';
import { ScyllaHistory } from './scylla/scylla-history.js';
import { ScyllaLog } from './scylla/scylla-log.js';
import { type HistoryPlace, historyContract } from './testing/contract.js';

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

historyContract('segment files', files);
historyContract('Cassandra', cluster, CASSANDRA.skip);
if (CASSANDRA.skip === false) after(() => dropKeyspace(CLUSTER));
