import { bench, median } from '@sentinel/bench-kit';
import { HEALTHY, type Process, SAMPLES_A_DAY } from '@sentinel/monitor-kit/testing/healthy';
import { medianUpper, wilsonLower } from '@sentinel/monitor-kit/testing/intervals';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { ModelAnalysis } from '../analysers/model-analysis.js';
import { StatisticWatch } from '../analysers/statistic-watch.js';
import { WeightWatch } from '../analysers/weights.js';
import { ERRORS, grossError, healthySample } from './support/gross-errors.js';
import { shippedLimits } from './support/limits.js';

const SHIFT = 0.2;
const SPREAD = 1.5;
const REPLICAS = 8;
const RUNS = 400;
const QUICK_RUNS = 40;
const FAULTS = 1_000;
/** A fault that is found later counts as not found. */
const WITHIN_DAYS = 1;
const DAY_S = 86_400;
const HOURS = 24;

/** Injected faults on a virtual clock, through the shipped analysers and limits. */
export default bench({
  name: 'inference-power',
  async run({ quick, log }) {
    const runs = quick ? QUICK_RUNS : RUNS;
    const figures: Record<string, number> = {};
    const tell = (name: string, what: string, hours: readonly number[]) => {
      figures[`${name}_median_hours`] = median([...hours]);
      figures[`${name}_found_pct`] = (100 * hours.filter(Number.isFinite).length) / hours.length;
      log(
        `${what}: found after ${median([...hours]).toFixed(2)} h, median; ${figures[`${name}_found_pct`]} % in a day`,
      );
    };
    for (const process of HEALTHY) {
      if (process.name === 'diurnal') continue;
      const name = process.name === 'normal' ? 'shift' : `shift_${process.name}`;
      const hours = hoursUntil(process, runs, 'mean', (value) => value + SHIFT * process.sigma);
      if (name === 'shift') figures['shift_median_upper95_hours'] = medianUpper(hours);
      tell(name, `a shift of ${SHIFT} standard deviations on ${process.name}`, hours);
    }
    const [normal] = HEALTHY;
    if (normal === undefined) throw new Error('there is no healthy process');
    const diurnal = HEALTHY.find(({ name }) => name === 'diurnal') ?? normal;
    tell('cohort_shift', 'the same of one of 8 replicas on diurnal, against the others', cohortHours(diurnal, runs));
    tell(
      'distribution',
      `a spread of ${SPREAD} times the usual`,
      hoursUntil(normal, runs, 'distribution', (value) => SPREAD * value),
    );
    tell(
      'garbage',
      'a tenth of the requests drawn from a distribution 3 standard deviations away',
      hoursUntil(normal, runs, 'distribution', (value, random) => (random.next() < 0.1 ? value + 3 : value)),
    );
    for (const error of ERRORS) {
      const found = grossErrors(error);
      figures[`${error}_found_pct`] = (100 * found) / FAULTS;
      log(`${error}: ${found} of ${FAULTS} found in the request that had it`);
    }
    const named = weights();
    figures['weights_named_pct'] = (100 * named) / FAULTS;
    figures['weights_named_lower95_pct'] = 100 * wilsonLower(named, FAULTS);
    log(`checksums of weights named the worker in ${named} of ${FAULTS} flips`);
    return quick ? { figures, notRun: ['runs'] } : { figures: { ...figures, runs } };
  },
});

/** Hours from a change of what requests show until its chart finds it; a day at most. */
function hoursUntil(
  process: Process,
  runs: number,
  part: 'mean' | 'distribution',
  change: (value: number, random: Random) => number,
): number[] {
  const limits = shippedLimits();
  const perBlock = (SAMPLES_A_DAY * limits.block_ewma.block_s) / DAY_S;
  const learning = limits.block_ewma.m + Math.ceil(limits.kl_divergence.min_reference_samples / perBlock);
  return Array.from({ length: runs }, (_, run) => {
    const random = new Random(1_000 + run);
    const series = process.series(random);
    const watch = new StatisticWatch(limits, part === 'distribution');
    const begin = (learning + 1) * perBlock + random.integer(perBlock);
    for (let k = 0; k < begin + WITHIN_DAYS * SAMPLES_A_DAY; k += 1) {
      const value = series(k);
      watch.add(k < begin ? value : change(value, random));
      if (k % perBlock !== perBlock - 1) continue;
      const verdict = watch.close(Math.floor(k / perBlock));
      const drift = part === 'mean' ? verdict?.drift : verdict?.moved?.drift;
      if (drift?.first === true && k >= begin) return hours(k - begin);
    }
    return Number.POSITIVE_INFINITY;
  });
}

/** The same for one of several replicas that see the same hours. */
function cohortHours(process: Process, runs: number): number[] {
  const limits = shippedLimits();
  const perBlock = (SAMPLES_A_DAY * limits.block_ewma.block_s) / DAY_S;
  return Array.from({ length: runs }, (_, run) => {
    const random = new Random(5_000 + run);
    const replicas = Array.from({ length: REPLICAS }, () => ({
      series: process.series(random),
      watch: new StatisticWatch(limits, false),
    }));
    const [own] = replicas;
    const begin = (limits.block_ewma.m + 1) * perBlock + random.integer(perBlock);
    for (let k = 0; k < begin + WITHIN_DAYS * SAMPLES_A_DAY; k += 1) {
      for (const { series, watch } of replicas)
        watch.add(series(k) + process.common(k) + (watch === own?.watch && k >= begin ? SHIFT * process.sigma : 0));
      if (k % perBlock !== perBlock - 1) continue;
      const block = Math.floor(k / perBlock);
      for (const { watch } of replicas) watch.close(block);
      const others = replicas.slice(1).flatMap(({ watch }) => watch.blockMean('mean', block) ?? []);
      if (own?.watch.compare('mean', block, others)?.first === true && k >= begin) return hours(k - begin);
    }
    return Number.POSITIVE_INFINITY;
  });
}

function hours(samples: number): number {
  return (HOURS * samples) / SAMPLES_A_DAY;
}

/** Each fault of a model of its own that has been healthy for a while. */
function grossErrors(error: (typeof ERRORS)[number]): number {
  const random = new Random(7);
  const limits = shippedLimits();
  let found = 0;
  let analysis = new ModelAnalysis(limits);
  for (let fault = 0; fault < FAULTS; fault += 1) {
    if (fault % 50 === 0) {
      analysis = new ModelAnalysis(limits);
      for (let k = 0; k < 1_000; k += 1) analysis.take(healthySample(random, k));
    }
    const before = analysis.take(healthySample(random, 0)).filter(({ type }) => type === 'INVARIANT_VIOLATION').length;
    const now = analysis.take(grossError(error, random)).filter(({ type }) => type === 'INVARIANT_VIOLATION').length;
    if (before === 0 && now > 0) found += 1;
    // An episode ends before the next one begins.
    for (let k = 0; k < 110; k += 1) analysis.take(healthySample(random, 0));
  }
  return found;
}

/** One bit of the checksum of one of several workers, as of a bit of its weights. */
function weights(): number {
  const random = new Random(9);
  let named = 0;
  for (let fault = 0; fault < FAULTS; fault += 1) {
    const watch = new WeightWatch();
    const digests = Array.from({ length: REPLICAS }, () => digestOf(random));
    const worker = random.integer(REPLICAS);
    const report = (flipped: boolean) => ({
      ...{ timeUs: 0, algorithm: 'sum64', reloaded: false },
      shards: digests.map((digest, k) => {
        const held = flipped && k === worker ? flip(digest, random) : digest;
        return { worker: k, digest: held, expected: fault % 2 === 0 ? digest : '', differing: [] };
      }),
    });
    const before = watch.take(report(false)).length;
    const found = watch.take(report(true)).map(({ workers }) => workers);
    if (before === 0 && found.length === 1 && found[0]?.[0] === worker) named += 1;
  }
  return named;
}

function digestOf(random: Random): string {
  return Array.from({ length: 32 }, () => random.integer(16).toString(16)).join('');
}

function flip(digest: string, random: Random): string {
  const at = random.integer(digest.length);
  const digit = Number.parseInt(digest[at] ?? '0', 16) ^ (1 << random.integer(4));
  return `${digest.slice(0, at)}${digit.toString(16)}${digest.slice(at + 1)}`;
}
