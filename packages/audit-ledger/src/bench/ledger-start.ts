import { bench, processCpuMilliseconds, residentMegabytes } from '@sentinel/bench-kit';
import { fillLog } from '../testing/prepared-log.js';
import { WriterProcess } from '../testing/writer-process.js';

const ENTRIES = 10_000_000;
const QUICK_ENTRIES = 300_000;
const STARTS = 3;

/** How soon a writer of a long log takes entries again after it was killed; the slowest of three starts. */
export default bench({
  name: 'ledger-start',
  run: async ({ quick, log }) => {
    const entries = quick ? QUICK_ENTRIES : ENTRIES;
    await using writer = new WriterProcess();
    await fillLog(writer, entries);
    log(`a log of ${entries} entries is made`);
    let [ready_seconds, cpu_seconds, rss_mb] = [0, 0, 0];
    for (let start = 0; start < STARTS; start += 1) {
      const started = performance.now();
      await writer.start();
      ready_seconds = Math.max(ready_seconds, (performance.now() - started) / 1000);
      cpu_seconds = Math.max(cpu_seconds, (await processCpuMilliseconds(writer.pid ?? 0)) / 1000);
      rss_mb = Math.max(rss_mb, await residentMegabytes(writer.pid ?? 0));
      await writer.signal('SIGKILL');
    }
    const figures = { ready_seconds, cpu_seconds, rss_mb };
    return quick ? { figures, notRun: ['entries'] } : { figures: { ...figures, entries } };
  },
});
