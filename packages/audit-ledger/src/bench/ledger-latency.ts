import { setTimeout as delay } from 'node:timers/promises';
import { bench } from '@sentinel/bench-kit';
import { Latencies } from '../hammer/latencies.js';
import { Load } from '../hammer/load.js';
import { parseVerifierKey } from '../note/keys.js';
import { clientOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

const RATE = 1_200;
const PRODUCERS = 4;
const WINDOW_EVENTS = 4_096;
const WARM_UP_MS = 5_000;
const SECONDS = 60;
const QUICK_SECONDS = 15;
const FINISH_MS = 20_000;

/**
 * From when an event was due, one at a time, until it was acknowledged under a signed checkpoint, which is checked; the load
 * does not wait for acknowledgements, so a stall counts for every event that it delays.
 */
export default bench({
  name: 'ledger-latency',
  run: async ({ quick, log }) => {
    await using writer = new WriterProcess();
    const { grpc } = await writer.start();
    const load = new Load({
      connect: () => clientOf(grpc),
      key: parseVerifierKey(writer.verifierKey),
      run: 'bench',
      producers: PRODUCERS,
      eventsPerRequest: 1,
      rate: RATE,
      windowEvents: WINDOW_EVENTS,
    });
    load.start();
    await delay(WARM_UP_MS);
    load.latencies = new Latencies();
    const [ackedBefore, started] = [load.acked, performance.now()];
    await delay((quick ? QUICK_SECONDS : SECONDS) * 1000);
    const rate = (load.acked - ackedBefore) / ((performance.now() - started) / 1000);
    const [p50_ms, p99_ms] = [load.latencies.quantile(0.5), load.latencies.quantile(0.99)];
    await load.finish(FINISH_MS);
    for (const problem of load.check.problems) log(problem);
    log(`${load.acked} entries acknowledged, ${load.leftOut} left out, ${load.unacked} never acknowledged`);
    const broken_promises = load.check.broken + load.unacked + load.leftOut;
    return { figures: { rate, p50_ms, p99_ms, broken_promises } };
  },
});
