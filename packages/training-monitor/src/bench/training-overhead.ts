import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bench } from '@sentinel/bench-kit';

const run = promisify(execFile);
const PYTHON = fileURLToPath(new URL('../../python/', import.meta.url));
const SET_UP = fileURLToPath(new URL('../../../monitor-kit/python/scripts/environment.py', import.meta.url));
/** With PyTorch fetched. */
const SET_UP_MS = 900_000;
const MEASURE_MS = 1_800_000;
const FULL = { pairs: 150, block: 10 };
const QUICK = { pairs: 20, block: 5 };

/** What python/bench/overhead.py prints. */
interface Overhead {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly cpu_ratio: number;
  readonly cpu_low: number;
  readonly cpu_high: number;
  readonly step_ms: number;
  readonly pairs: number;
  readonly detectors: Readonly<Record<string, { readonly once_ms: number; readonly amortised_pct: number }>>;
}

/** What the library costs a real step of PyTorch, at its default intervals: with and without it in turns, in one process. */
export default bench({
  name: 'training-overhead',
  async run({ quick, log }) {
    const { stdout: python } = await run('python3', [SET_UP, 'torch', 'sentinel_training'], {
      timeout: SET_UP_MS,
    });
    const { pairs, block } = quick ? QUICK : FULL;
    const args = [`${PYTHON}bench/overhead.py`, '--pairs', String(pairs), '--block', String(block)];
    const env = { ...process.env, PYTHONPATH: `${PYTHON}src`, OMP_NUM_THREADS: '1' };
    const { stdout, stderr } = await run(python.trim(), args, { env, timeout: MEASURE_MS });
    if (stderr !== '') log(stderr.trim());
    const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Overhead;
    for (const [name, { once_ms, amortised_pct }] of Object.entries(found.detectors))
      log(`${name}: ${once_ms} ms each time, ${amortised_pct} % of the job`);
    const percent = (ratio: number): number => 100 * (ratio - 1);
    const amortised_pct = Object.values(found.detectors).reduce((sum, each) => sum + each.amortised_pct, 0);
    const figures = {
      overhead_pct: percent(found.ratio),
      low95_pct: percent(found.low),
      high95_pct: percent(found.high),
      cpu_overhead_pct: percent(found.cpu_ratio),
      cpu_low95_pct: percent(found.cpu_low),
      cpu_high95_pct: percent(found.cpu_high),
    };
    const measured = { ...figures, amortised_pct, step_ms: found.step_ms };
    return quick ? { figures: measured, notRun: ['pairs'] } : { figures: { ...measured, pairs: found.pairs } };
  },
});
