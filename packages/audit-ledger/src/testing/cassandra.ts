/** Keyspaces of a real Cassandra for tests. */
import { closeCql } from '@sentinel/service-kit/cql/client';
import { type CqlConfig, connectCql } from '@sentinel/service-kit/cql/connect';
import { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
import { testServer } from '@sentinel/test-kit';
import type { Client, types } from 'cassandra-driver';

/** A change of the schema on a busy machine. */
const SCHEMA_TIMEOUT_MS = 60_000;

/** Where tests find Cassandra, or why there is none. */
export const CASSANDRA = await testServer('cassandra');

/** Settings of a keyspace of the caller's own, which is not made yet. */
export function ownKeyspace(over: Partial<CqlConfig> = {}): CqlConfig {
  // Without a server nothing is connected to.
  const url = CASSANDRA.skip === false ? CASSANDRA.url : 'cassandra://127.0.0.1/none';
  return testCluster(url, { write_consistency: 'QUORUM', read_consistency: 'QUORUM', ...over });
}

export async function withClient<T>(cluster: CqlConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectCql(cluster, 'audit_ledger.storage');
  try {
    return await work(client);
  } finally {
    await closeCql(client);
  }
}

export async function runCql(cluster: CqlConfig, query: string): Promise<types.Row[]> {
  const options = { prepare: false, readTimeout: SCHEMA_TIMEOUT_MS };
  return await withClient(cluster, async (client) => (await client.execute(query, [], options)).rows);
}

export async function dropKeyspace(cluster: CqlConfig): Promise<void> {
  await runCql(cluster, `DROP KEYSPACE ${cluster.keyspace}`);
}

/** Rows of tables as they are now. @returns what puts them back in place of what is there then */
export async function copyTables(cluster: CqlConfig, tables: readonly string[]): Promise<() => Promise<void>> {
  const copies = await withClient(cluster, async (client) => {
    const rows = tables.map(async (table) => (await client.execute(`SELECT JSON * FROM ${table}`)).rows);
    return await Promise.all(rows);
  });
  return async () =>
    await withClient(cluster, async (client) => {
      for (const [i, table] of tables.entries()) {
        await client.execute(`TRUNCATE ${table}`, [], { prepare: false, readTimeout: SCHEMA_TIMEOUT_MS });
        for (const row of copies[i] ?? []) await client.execute(`INSERT INTO ${table} JSON ?`, [String(row['[json]'])]);
      }
    });
}
