import { closeCql } from '@sentinel/service-kit/cql/client';
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { connectCql } from '@sentinel/service-kit/cql/connect';
import { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
import { testServer } from '@sentinel/test-kit';

/** A change of the schema on a busy machine. */
const SCHEMA_TIMEOUT_MS = 60_000;

/** Where tests find Cassandra, or why there is none. */
export const CASSANDRA = await testServer('cassandra');

/** Settings of a keyspace of the caller's own, which is not made yet. */
export function ownKeyspace(): CqlConfig {
  // Without a server nothing is connected to.
  return testCluster(CASSANDRA.skip === false ? CASSANDRA.url : 'cassandra://127.0.0.1/none');
}

/** Statements that need no parameters, one after the other. */
export async function runCql(cluster: CqlConfig, ...statements: string[]): Promise<void> {
  const client = await connectCql(cluster, 'correlation_engine');
  try {
    for (const statement of statements)
      await client.execute(statement, [], { prepare: false, readTimeout: SCHEMA_TIMEOUT_MS });
  } finally {
    await closeCql(client);
  }
}

export function dropKeyspace(cluster: CqlConfig): Promise<void> {
  return runCql(cluster, `DROP KEYSPACE ${cluster.keyspace}`);
}
