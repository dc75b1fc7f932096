import { readdirSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bench } from '@sentinel/bench-kit';
import { silentLogger } from '@sentinel/service-kit/logging';
import { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
import { CassandraServer } from '@sentinel/test-kit';
import { FileHistory } from '../store/history/file-history.js';
import type { HistoryStore } from '../store/history/history-store.js';
import { ScyllaHistory } from '../store/history/scylla/scylla-history.js';
import { GPUS, nodeDay } from '../store/history/testing/node-day.js';
import { postgresBytes } from './postgres-size.js';

const DAY_MS = 86_400_000;
const DAYS_PER_YEAR = 365;
const APPEND_RECORDS = 256;
const TABLES = ['records', 'device_days', 'day_nodes', 'spools'];

/**
 * Bytes that a node's day takes, as its agent sends it at the default schedule: of history in a cluster (one copy, after flush and
 * compaction) and in segment files, and of state and decisions in PostgreSQL.
 */
export default bench({
  name: 'storage-size',
  async run({ quick, folder, log }) {
    const nodes = quick ? 1 : 4;
    const gpuDays = nodes * GPUS;
    const perYear = (bytes: number): number => (bytes / gpuDays) * 1000 * DAYS_PER_YEAR * 1e-9;
    const dayUs = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS * 1000;

    log(`${nodes} nodes of ${GPUS} GPUs, one day each, to segment files`);
    const files = join(folder, 'files');
    await store(await FileHistory.open(files, silentLogger()), nodes, dayUs);

    log('the same through commits to PostgreSQL');
    const postgres = await postgresBytes(folder, nodes, dayUs);

    log('the same to Cassandra');
    const data = join(folder, 'cassandra');
    await mkdir(data);
    await using server = await CassandraServer.start(data);
    const cluster = testCluster(server.url);
    await store(await ScyllaHistory.open({ cluster, retentionDays: DAYS_PER_YEAR }), nodes, dayUs);
    await server.nodetool('flush', cluster.keyspace);
    await server.nodetool('compact', cluster.keyspace);
    const keyspace = join(data, 'data/data', cluster.keyspace);
    const tables = readdirSync(keyspace).filter((name) => TABLES.includes(name.split('-')[0] ?? ''));
    const bytes = tables.map((name) => bytesBelow(join(keyspace, name))).reduce((sum, each) => sum + each, 0);
    return {
      figures: {
        series_gb_per_1000_gpu_years: perYear(bytes),
        series_files_gb_per_1000_gpu_years: perYear(bytesBelow(files)),
        postgres_gb_per_1000_gpu_years: postgres * 1e-9,
      },
    };
  },
});

async function store(history: HistoryStore, nodes: number, dayUs: number): Promise<void> {
  for (let i = 0; i < nodes; i += 1) {
    const records = [...nodeDay(`node-${i}.rack-${i % 2}.example`, dayUs, i)];
    for (let at = 0; at < records.length; at += APPEND_RECORDS)
      await history.append(records.slice(at, at + APPEND_RECORDS));
  }
  await history.close();
}

function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
