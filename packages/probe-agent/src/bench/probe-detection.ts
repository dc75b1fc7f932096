import { createRequire } from 'node:module';
import { bench } from '@sentinel/bench-kit';
import { addonPath, type CpuFaultSpec, type Family, type NativeTestProbes } from '@sentinel/native-probes';
import { interpolatedMedian } from './interpolated-median.js';

const WORD_BITS = 32;
const CPU_LANES = 8;
/** Probability that an execution of the rare fault fails. */
const RATE = 0.05;
const TRIALS = 2_000;
const QUICK_TRIALS = 100;
const QUICK_BIT_STEP = 8;
/** Of the rare fault; the cheapest. */
const RARE_FAMILY: Family = 'int_aes';

/** Faults of the test build on this machine's last logical CPU: what one sweep finds, and how soon a rare fault shows. */
export default bench({
  name: 'probe-detection',
  async run({ quick, log }) {
    const probes = createRequire(import.meta.url)(addonPath({ test: true })) as NativeTestProbes;
    const site = new Site(probes);
    const figures: Record<string, number> = {};
    const stuck = site.families.map((family) => {
      const found = stuckFaults(site, family, quick);
      log(`${family}: ${found.found} of ${found.faults} stuck bits found in one execution`);
      return found;
    });
    const sum = (of: (entry: (typeof stuck)[number]) => number) => stuck.reduce((total, entry) => total + of(entry), 0);
    figures['stuck_faults'] = sum(({ faults }) => faults);
    figures['stuck_found_pct'] = (100 * sum(({ found }) => found)) / sum(({ faults }) => faults);
    if (quick) return { figures, notRun: ['rare_median_deviation_pct'] };
    figures['rare_median_deviation_pct'] = rareFault(site, quick ? QUICK_TRIALS : TRIALS, log);
    return { figures };
  },
});

class Site {
  readonly families: readonly Family[];
  readonly #probes: NativeTestProbes;
  readonly #faulty: number;
  readonly #golden: [number, number] | [number];
  #index = 0;

  constructor(probes: NativeTestProbes) {
    const { cpus, families } = probes.info();
    const [first = 0, second] = cpus;
    this.#probes = probes;
    this.#faulty = cpus.at(-1) ?? 0;
    this.#golden = second === undefined ? [first] : [first, second];
    this.families = families.filter(({ available }) => available).map(({ name }) => name);
  }

  /** Runs `body` while the faulty CPU has this fault. */
  with<T>(fault: Omit<CpuFaultSpec, 'cores'>, body: () => T): T {
    this.#probes.inject({ ...fault, cores: [this.#faulty] });
    try {
      return body();
    } finally {
      this.#probes.inject(null);
    }
  }

  /** Whether an execution with operands of its own differs from the golden. */
  fails(family: Family): boolean {
    this.#index += 1;
    const request = { family, epoch: 7, index: this.#index, sms: [this.#faulty], goldenCpus: this.#golden };
    return this.#probes.execute(request).results[0]?.mismatch !== null;
  }
}

/** Every bit of a result, in every lane, stuck at 0 and at 1. */
function stuckFaults(site: Site, family: Family, quick: boolean): { faults: number; found: number } {
  const counts = { faults: 0, found: 0 };
  for (let bit = 0; bit < WORD_BITS; bit += quick ? QUICK_BIT_STEP : 1) {
    for (let lane = 0; lane < CPU_LANES; lane += 1) {
      for (const effect of ['stuck0', 'stuck1'] as const) {
        counts.faults += 1;
        const fault = { family, effect, lane, mask: (1 << bit) >>> 0 };
        counts.found += Number(site.with(fault, () => site.fails(family)));
      }
    }
  }
  return counts;
}

/** How far the median number of executions to the first mismatch is from ln 2 / p, percent. */
function rareFault(site: Site, trials: number, log: (line: string) => void): number {
  const fault = { family: RARE_FAMILY, effect: 'xor', rateExec: RATE } as const;
  const executions = site.with(fault, () => Array.from({ length: trials }, () => untilFailure(site)));
  const median = interpolatedMedian(executions);
  const expected = Math.LN2 / RATE;
  log(
    `rate ${RATE} per execution: median ${median.toFixed(2)} executions to the first mismatch, ln 2 / p = ${expected.toFixed(2)}`,
  );
  return 100 * Math.abs(median / expected - 1);
}

function untilFailure(site: Site): number {
  let executions = 1;
  while (!site.fails(RARE_FAMILY)) executions += 1;
  return executions;
}
