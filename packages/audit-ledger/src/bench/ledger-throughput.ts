import { bench } from '@sentinel/bench-kit';
import { throughputOf } from '../testing/measured-load.js';
import { WriterProcess } from '../testing/writer-process.js';

const SECONDS = 20;
const QUICK_SECONDS = 10;

/**
 * Durable, acknowledged entries a second of the real writer process over gRPC, with its GPU and time index; file backend. The client is
 * this process, so it works on the same cores.
 */
export default bench({
  name: 'ledger-throughput',
  run: async ({ quick, log }) => {
    await using writer = new WriterProcess();
    const { grpc } = await writer.start();
    return { figures: await throughputOf({ writer, grpc, seconds: quick ? QUICK_SECONDS : SECONDS, log }) };
  },
});
