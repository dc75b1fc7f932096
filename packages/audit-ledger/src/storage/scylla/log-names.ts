import { allRows } from '@sentinel/service-kit/cql/rows';
import type { Cluster } from './cluster.js';

/** Logs of the keyspace: one, unless somebody has been at it. */
export async function logNames(cluster: Cluster): Promise<string[]> {
  return (await allRows(cluster.rows('SELECT log FROM heads', []))).map((row) => String(row.log));
}
