import { setTimeout as delay } from 'node:timers/promises';
import { bench, processCpuMilliseconds } from '@sentinel/bench-kit';
import { Load } from '../hammer/load.js';
import { parseVerifierKey } from '../note/keys.js';
import { clientOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

const PRODUCERS = 4;
const EVENTS_PER_REQUEST = 100;
const WINDOW_EVENTS = 8_000;
const WARM_UP_MS = 5_000;
const SECONDS = 20;
const QUICK_SECONDS = 10;
const FINISH_MS = 20_000;

/**
 * Durable, acknowledged entries a second of the real writer process over gRPC, with its GPU and time index. The client is this
 * process, so it works on the same cores; it checks every acknowledgement, and the whole log is verified afterwards.
 */
export default bench({
  name: 'ledger-throughput',
  run: async ({ quick, log }) => {
    await using writer = new WriterProcess();
    const { grpc } = await writer.start();
    const load = new Load({
      connect: () => clientOf(grpc),
      key: parseVerifierKey(writer.verifierKey),
      run: 'bench',
      producers: PRODUCERS,
      eventsPerRequest: EVENTS_PER_REQUEST,
      rate: 0,
      windowEvents: WINDOW_EVENTS,
    });
    load.start();
    await delay(WARM_UP_MS);
    const [ackedBefore, started] = [load.acked, performance.now()];
    const [writerBefore, clientBefore] = [await processCpuMilliseconds(writer.pid ?? 0), process.cpuUsage()];
    await delay((quick ? QUICK_SECONDS : SECONDS) * 1000);
    const acked = load.acked - ackedBefore;
    const entries_per_second = acked / ((performance.now() - started) / 1000);
    const { user, system } = process.cpuUsage(clientBefore);
    const client_us = (user + system) / acked;
    const writer_us = (((await processCpuMilliseconds(writer.pid ?? 0)) - writerBefore) * 1000) / acked;
    await load.finish(FINISH_MS);
    await writer.signal('SIGTERM');
    const verified = await writer.run('verify', '--full');
    log(`${load.acked} entries; ${verified.output.trim()}`);
    for (const problem of load.check.problems) log(problem);
    const broken_promises = load.check.broken + load.unacked + (verified.code === 0 ? 0 : 1);
    return { figures: { entries_per_second, writer_us, client_us, broken_promises } };
  },
});
