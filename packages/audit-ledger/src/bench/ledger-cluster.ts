import { join } from 'node:path';
import { bench } from '@sentinel/bench-kit';
import { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
import { CassandraServer } from '@sentinel/test-kit';
import { latencyAt, throughputOf } from '../testing/measured-load.js';
import { WriterProcess } from '../testing/writer-process.js';

const RATE = 1_200;
const FULL = { latency: 60, throughput: 20 };
const QUICK = { latency: 15, throughput: 10 };

/** The same writer with its log in a cluster: one Cassandra that syncs what it acknowledges, on the same cores. */
export default bench({
  name: 'ledger-cluster',
  run: async ({ quick, folder, log }) => {
    const seconds = quick ? QUICK : FULL;
    await using server = await CassandraServer.start(join(folder, 'cassandra'));
    // The twin of a secret is not given together with it.
    const { password_path: _, ...scylla } = testCluster(server.url, {
      write_consistency: 'QUORUM',
      read_consistency: 'QUORUM',
    });
    await using writer = new WriterProcess({ storage: { backend: 'scylla', scylla } });
    const { grpc } = await writer.start();
    const latency = await latencyAt(RATE, { writer, grpc, seconds: seconds.latency, log });
    const { entries_per_second, broken_promises } = await throughputOf({
      writer,
      grpc,
      seconds: seconds.throughput,
      log,
    });
    return { figures: { ...latency, entries_per_second, broken_promises: latency.broken_promises + broken_promises } };
  },
});
