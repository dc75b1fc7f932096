/** The `scylla` backend: a log in a ScyllaDB or Cassandra cluster. */
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { SourceError } from '../../verify/source.js';
import type { Backend } from '../backend.js';
import { readCheckpoints } from './checkpoints.js';
import { Cluster } from './cluster.js';
import { FollowedKeyspace } from './followed-keyspace.js';
import { HeadRow, PATIENCE_MS, type StoredHead } from './head-row.js';
import { logNames } from './log-names.js';
import type { LogRows } from './log-rows.js';
import { mendRows } from './mend-rows.js';
import { openScyllaStore } from './open-store.js';
import { newestCheckpoint, openLogRows, ScyllaSource } from './scylla-source.js';

/** @param patienceMs how long a commit may wait to learn its outcome */
export function scyllaBackend(config: CqlConfig, patienceMs = PATIENCE_MS): Backend {
  const place = `keyspace ${config.keyspace} at ${config.contact_points.join(', ')}`;
  return {
    name: 'scylla',
    place,
    openWriter: async (options) => await openScyllaStore({ config, patienceMs }, options),
    openSource: async (from) => await ScyllaSource.open(config, (rows) => newestCheckpoint(rows, from)),
    openUnsigned: async () => await openUnsigned(config),
    mend: async (seqs, right) => await mendRows(config, seqs, right),
    openReader: async () => await FollowedKeyspace.open(config),
    guards: async () => await guardsOf(config),
    guardPlace: `${config.keyspace}.rollback_guard`,
  };
}

async function openUnsigned(config: CqlConfig) {
  if (!(await holdsLog(config))) return undefined;
  let stored: StoredHead | undefined;
  const source = await ScyllaSource.open(config, async (rows: LogRows) => {
    stored = await new HeadRow(rows.cluster, rows.log).read();
    if (stored === undefined) throw new SourceError('the head of the log is missing');
    return { note: '', size: stored.head.size };
  });
  return stored && { source, head: stored.head };
}

async function holdsLog(config: CqlConfig): Promise<boolean> {
  const cluster = await Cluster.connect(config);
  try {
    return (await logNames(cluster)).length > 0;
  } finally {
    await cluster.close();
  }
}

async function guardsOf(config: CqlConfig): Promise<string[]> {
  if (!(await holdsLog(config))) return [];
  const rows = await openLogRows(config);
  try {
    return (await readCheckpoints(rows, 'rollback_guard')).map(({ note }) => note);
  } finally {
    await rows.cluster.close();
  }
}
