import { randomBytes } from 'node:crypto';
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { connectCql } from '@sentinel/service-kit/cql/connect';
import { testServer } from '@sentinel/test-kit';

/** Where tests find Cassandra, or why there is none. */
export const CASSANDRA = await testServer('cassandra');

/** Settings of a keyspace of the caller's own, which is not made yet. */
export function testCluster(url: string = CASSANDRA.url): CqlConfig {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    contact_points: [`${hostname}:${port || '9042'}`],
    keyspace: `sentinel_test_${randomBytes(6).toString('hex')}`,
    replication_factor: 1,
    write_consistency: 'LOCAL_QUORUM',
    read_consistency: 'LOCAL_ONE',
    local_datacenter: decodeURIComponent(pathname.slice(1)),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    password_path: '',
    tls: { enabled: false, ca_file: '' },
  };
}

/** Statements that need no parameters, one after the other. */
export async function runCql(cluster: CqlConfig, ...statements: string[]): Promise<void> {
  const client = await connectCql(cluster, 'correlation_engine');
  for (const statement of statements) await client.execute(statement, [], { prepare: false });
  await client.shutdown();
}

export function dropKeyspace(cluster: CqlConfig): Promise<void> {
  return runCql(cluster, `DROP KEYSPACE ${cluster.keyspace}`);
}
