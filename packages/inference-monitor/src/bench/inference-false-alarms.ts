import { bench } from '@sentinel/bench-kit';
import { SampleEwma } from '@sentinel/monitor-kit/charts/sample-ewma';
import { HEALTHY, type Process, SAMPLES_A_DAY } from '@sentinel/monitor-kit/testing/healthy';
import { poissonUpper } from '@sentinel/monitor-kit/testing/intervals';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { EntropyRange } from '../analysers/entropy-range.js';
import { Invariants } from '../analysers/invariants.js';
import { OutputRange } from '../analysers/output-range.js';
import { Spectral } from '../analysers/spectral.js';
import { StatisticWatch } from '../analysers/statistic-watch.js';
import { type Alarms, CHARTS, type Chart, healthyReplicas } from './support/healthy-replicas.js';
import { shippedLimits } from './support/limits.js';

const REPLICAS = 8;
/** Of one fleet; charts learn in the first of them. */
const DAYS = 25;
const GPU_DAYS = 1_000;
const QUICK_GPU_DAYS = 200;
/** Of charts of single requests, which take longer to simulate. */
const SINGLE_GPU_DAYS = 400;
const QUICK_SINGLE_GPU_DAYS = 25;

const SINGLES = ['entropy_range', 'output_range', 'spectral', 'logit_ewma', 'invariants'] as const;
type Single = (typeof SINGLES)[number];

/** Healthy replicas on a virtual clock, through the shipped analysers and limits. */
export default bench({
  name: 'inference-false-alarms',
  async run({ quick, log }) {
    const gpuDays = quick ? QUICK_GPU_DAYS : GPU_DAYS;
    const singleDays = quick ? QUICK_SINGLE_GPU_DAYS : SINGLE_GPU_DAYS;
    const figures: Record<string, number> = {};
    const byProcess = HEALTHY.map((process, k) => ({
      name: process.name,
      ...blocks(process, 1_000 * (k + 1), gpuDays),
      ...singles(process, 1_000 * (k + 1), singleDays),
    }));
    for (const chart of [...CHARTS, ...SINGLES]) {
      const found = byProcess.map((of) => ({ name: of.name, ...of[chart] }));
      for (const { name, events, days } of found)
        log(`${chart} on ${name}: ${events} alarms in ${days.toFixed(0)} GPU-days`);
      figures[`${chart}_per_gpu_day`] = Math.max(...found.map(({ events, days }) => events / days));
      const events = found.reduce((sum, each) => sum + each.events, 0);
      const days = found.reduce((sum, each) => sum + each.days, 0);
      figures[`${chart}_upper95`] = poissonUpper(events, days);
    }
    if (quick) return sliceOf(figures);
    return { figures: { ...figures, gpu_days: gpuDays, single_gpu_days: singleDays } };
  },
});

/** So few days of single requests bound no rate. */
function sliceOf(figures: Readonly<Record<string, number>>) {
  const unbounded = SINGLES.map((chart) => `${chart}_upper95`);
  const left = Object.fromEntries(Object.entries(figures).filter(([name]) => !unbounded.includes(name)));
  return { figures: left, notRun: ['gpu_days', 'single_gpu_days', ...unbounded] };
}

function none<Name extends string>(names: readonly Name[]): Record<Name, Alarms> {
  return Object.fromEntries(names.map((name) => [name, { events: 0, days: 0 }])) as Record<Name, Alarms>;
}

function blocks(process: Process, seed: number, gpuDays: number): Record<Chart, Alarms> {
  const found = none(CHARTS);
  const fleets = gpuDays / DAYS / REPLICAS;
  for (let fleet = 0; fleet < fleets; fleet += 1) {
    healthyReplicas({ process, limits: shippedLimits(), replicas: REPLICAS, days: DAYS, seed: seed + fleet }, found);
  }
  return found;
}

/** What judges requests one by one: on values that are scaled to what is measured. */
function singles(process: Process, seed: number, gpuDays: number): Record<Single, Alarms> {
  const limits = { ...shippedLimits(), spectral: { ...shippedLimits().spectral, enabled: true } };
  const { alpha, warmup_samples: warmup, sigma_threshold: sigma, max_drift: drift } = limits.logit_ewma;
  const found = none(SINGLES);
  const perBlock = (SAMPLES_A_DAY * limits.block_ewma.block_s) / 86_400;
  for (let gpu = 0; gpu < gpuDays / DAYS; gpu += 1) {
    const series = process.series(new Random(seed + 500 + gpu));
    const watch = new StatisticWatch(limits, false);
    const range = new EntropyRange(limits.entropy);
    const outputs = new OutputRange(limits);
    const spectral = new Spectral(limits);
    const logits = new SampleEwma({ alpha, warmup, sigma, drift });
    const invariants = new Invariants(limits.invariants);
    for (let k = 0; k < DAYS * SAMPLES_A_DAY; k += 1) {
      const value = (series(k) + process.common(k)) / process.sigma;
      // Nats, of 1.5 on average.
      const entropy = Math.max(0, 1.5 + 0.7 * value);
      const logit = 15 + 0.8 * value;
      watch.add(entropy);
      const sample = {
        ...{ timeUs: k, model: '', tokens: undefined, outputs: [{ ...OUTPUT, min: 0, max: value }] },
        blocks: [{ ...BLOCK, logprobs: [-Math.abs(value)], entropy, maxLogit: Math.abs(logit) }],
      };
      found.output_range.events += outputs.take(sample).length;
      found.invariants.events += invariants.take(sample).length;
      found.spectral.events += spectral.take(entropy, k).length;
      if (logits.push(logit)?.first === true) found.logit_ewma.events += 1;
      if (k % perBlock === perBlock - 1) {
        const verdict = watch.close(k / perBlock);
        if (verdict !== null) found.entropy_range.events += range.take(verdict, k).length;
      }
    }
    for (const chart of SINGLES) found[chart].days += DAYS;
  }
  return found;
}

const OUTPUT = { name: 'o', elements: 1, nonfinite: 0, mean: 0 };
const BLOCK = { topLogprob: undefined, excess: 0, impossible: 0 };
