import { randomBytes } from 'node:crypto';
import type { CqlConfig } from '../cql/connect.js';

/** Settings of a keyspace of the caller's own, which is not made yet. */
export function testCluster(url: string, over: Partial<CqlConfig> = {}): CqlConfig {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    contact_points: [`${hostname}:${port || '9042'}`],
    keyspace: `sentinel_test_${randomBytes(6).toString('hex')}`,
    replication_factor: 1,
    write_consistency: 'LOCAL_QUORUM',
    read_consistency: 'LOCAL_ONE',
    // A server of tests may stand still on a busy machine; where it is to be missed, less.
    request_timeout_ms: 30_000,
    local_datacenter: decodeURIComponent(pathname.slice(1)),
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    password_path: '',
    tls: { enabled: false, ca_file: '' },
    ...over,
  };
}
