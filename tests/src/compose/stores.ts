import { testCluster } from '@sentinel/correlation-engine/testing';
import pg from 'pg';
import type { Database } from '../chaos/evidence.js';
import type { Cluster } from '../chaos/stores.js';
import type { ComposeProject } from './project.js';

/** PostgreSQL of a project, by its published port. */
export async function databaseOf(project: ComposeProject): Promise<Database> {
  const url = new URL(await project.exec('correlation-engine', 'cat', '/run/sentinel/secrets/postgres.url'));
  url.host = project.at('postgres');
  const sql = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  return { sql };
}

/** ScyllaDB of a project, with the keyspace of the engine's history. */
export function clusterOf(project: ComposeProject): Cluster {
  const { password_path: _, ...cluster } = testCluster(`cassandra://${project.at('scylladb')}/datacenter1`, {
    keyspace: 'sentinel',
  });
  return cluster;
}
