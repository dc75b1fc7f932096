import { join } from 'node:path';

export interface CassandraPorts {
  readonly cql: number;
  readonly storage: number;
  readonly jmx: number;
}

/** cassandra.yaml of one small node on loopback. */
export function settings(data: string, { cql, storage }: CassandraPorts): object {
  const seeds = `127.0.0.1:${storage}`;
  return {
    cluster_name: 'tests',
    num_tokens: 1,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    data_file_directories: [join(data, 'data')],
    commitlog_directory: join(data, 'commitlog'),
    hints_directory: join(data, 'hints'),
    saved_caches_directory: join(data, 'saved_caches'),
    cdc_raw_directory: join(data, 'cdc'),
    // An acknowledged write is on the disk.
    commitlog_sync: 'batch',
    commitlog_segment_size: '8MiB',
    listen_address: '127.0.0.1',
    rpc_address: '127.0.0.1',
    storage_port: storage,
    native_transport_port: cql,
    endpoint_snitch: 'SimpleSnitch',
    authenticator: 'AllowAllAuthenticator',
    seed_provider: [{ class_name: 'org.apache.cassandra.locator.SimpleSeedProvider', parameters: [{ seeds }] }],
    memtable_allocation_type: 'heap_buffers',
    key_cache_size: '8MiB',
    concurrent_reads: 8,
    concurrent_writes: 8,
    // A disk that takes seconds for a write is slow, and no failure: what is given up, and when, is for its clients to say.
    read_request_timeout: '30s',
    range_request_timeout: '30s',
    write_request_timeout: '30s',
    cas_contention_timeout: '30s',
    native_transport_timeout: '30s',
    // What a test drops or empties is gone.
    auto_snapshot: false,
  };
}
