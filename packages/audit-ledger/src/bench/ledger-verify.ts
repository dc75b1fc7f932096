import { bench } from '@sentinel/bench-kit';
import { fillLog } from '../testing/prepared-log.js';
import { WriterProcess } from '../testing/writer-process.js';

const ENTRIES = 2_000_000;
const QUICK_ENTRIES = 300_000;

/** Entries a second that the command `verify --full` gets through, its start and the details included. */
export default bench({
  name: 'ledger-verify',
  run: async ({ quick, log }) => {
    const entries = quick ? QUICK_ENTRIES : ENTRIES;
    await using writer = new WriterProcess();
    await fillLog(writer, entries);
    log(`a log of ${entries} entries is made`);
    const started = performance.now();
    const { code, output } = await writer.run('verify', '--full');
    const entries_per_second = entries / ((performance.now() - started) / 1000);
    log(output.trim());
    if (code !== 0) throw new Error('the log does not verify');
    return quick
      ? { figures: { entries_per_second }, notRun: ['entries'] }
      : { figures: { entries_per_second, entries } };
  },
});
