import { bench } from '@sentinel/bench-kit';
import { latencyAt } from '../testing/measured-load.js';
import { WriterProcess } from '../testing/writer-process.js';

const RATE = 1_200;
const SECONDS = 60;
const QUICK_SECONDS = 15;

/** Until an entry is acknowledged, durable and signed, at the rate of a large fleet on a bad day; file backend. */
export default bench({
  name: 'ledger-latency',
  run: async ({ quick, log }) => {
    await using writer = new WriterProcess();
    const { grpc } = await writer.start();
    return { figures: await latencyAt(RATE, { writer, grpc, seconds: quick ? QUICK_SECONDS : SECONDS, log }) };
  },
});
