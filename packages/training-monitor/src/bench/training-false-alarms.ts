import { bench } from '@sentinel/bench-kit';
import { BlockCusum } from '@sentinel/monitor-kit/charts/block-cusum';
import { leaveOneOut } from '@sentinel/monitor-kit/charts/leave-one-out';
import { SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { HEALTHY, type Process, SAMPLES_A_DAY } from '@sentinel/monitor-kit/testing/healthy';
import { poissonUpper } from '@sentinel/monitor-kit/testing/intervals';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { RunAnalysis } from '../analysers/run-analysis.js';
import { shippedLimits } from './support/limits.js';
import { replayed } from './support/micro-batch.js';
import { Replicas } from './support/replicas.js';

const RANKS = 8;
/** Of one job; a chart has to learn in the first of them. */
const DAYS = 25;
const GPU_DAYS = 4_000;
const QUICK_GPU_DAYS = 100;
const HEALTHY_STEPS = 100_000;
const QUICK_STEPS = 10_000;
const MILLION = 1e6;

interface Alarms {
  readonly events: number;
  readonly days: number;
}

/** Healthy jobs on a virtual clock, through the shipped analysers and limits. */
export default bench({
  name: 'training-false-alarms',
  async run({ quick, log }) {
    const figures: Record<string, number> = {};
    /** Rates that a quick run is too short to show. */
    const notRun: string[] = [];
    const gpuDays = quick ? QUICK_GPU_DAYS : GPU_DAYS;
    const charts = {
      spike: () => singles('both', gpuDays),
      loss: () => singles('up', gpuDays),
      rank_effect: () => effects(gpuDays),
    };
    for (const [chart, simulate] of Object.entries(charts)) {
      const of = simulate();
      const found = HEALTHY.map((process, k) => ({ name: process.name, ...of(process, k + 1) }));
      for (const { name, events, days } of found)
        log(`${chart} on ${name}: ${events} alarms in ${days.toFixed(0)} GPU-days`);
      if (quick) {
        notRun.push(...['per_gpu_day', 'worst_upper95', 'upper95'].map((figure) => `${chart}_${figure}`));
        continue;
      }
      figures[`${chart}_per_gpu_day`] = Math.max(...found.map(({ events, days }) => events / days));
      figures[`${chart}_worst_upper95`] = Math.max(...found.map((each) => poissonUpper(each.events, each.days)));
      const events = found.reduce((sum, each) => sum + each.events, 0);
      const days = found.reduce((sum, each) => sum + each.days, 0);
      figures[`${chart}_upper95`] = poissonUpper(events, days);
    }
    const steps = quick ? QUICK_STEPS : HEALTHY_STEPS;
    figures['gpu_days'] = gpuDays;
    figures['healthy_replica_rounds'] = steps;
    figures['false_replica_accusations'] = replicas(steps);
    figures['healthy_replays'] = steps;
    figures['false_replay_accusations'] = replays(steps);
    return quick ? { figures, notRun } : { figures };
  },
});

/** A chart of single values, once for each GPU. */
function singles(side: 'up' | 'both', gpuDays: number): (process: Process, seed: number) => Alarms {
  const { gradient_norm: norm, loss, false_alarms } = shippedLimits();
  const probability = false_alarms.per_million / MILLION;
  const { window, least } =
    side === 'both'
      ? { window: norm.window_size, least: norm.sigma_threshold }
      : { window: loss.window_size, least: loss.spike_threshold };
  return (process, seed) => {
    let events = 0;
    for (let gpu = 0; gpu < gpuDays / DAYS; gpu += 1) {
      const random = new Random(seed * 10_000 + gpu);
      const series = process.series(random);
      const chart = new SpikeChart({ window, least, probability, side, minScale: 1e-6 });
      for (let t = 0; t < DAYS * SAMPLES_A_DAY; t += 1) {
        if (chart.push(series(t) + process.common(t))?.first === true) events += 1;
      }
    }
    return { events, days: gpuDays };
  };
}

/** The rank-effect chart of each rank of jobs; the days in which it learns count as none. */
function effects(gpuDays: number): (process: Process, seed: number) => Alarms {
  const {
    block_samples: block,
    reference_blocks: reference,
    allowance,
    limit,
  } = shippedLimits().cross_rank.rank_effect;
  return (process, seed) => {
    let events = 0;
    const jobs = gpuDays / DAYS / RANKS;
    for (let job = 0; job < jobs; job += 1) {
      const random = new Random(seed * 20_000 + job);
      const ranks = Array.from({ length: RANKS }, () => ({
        series: process.series(random),
        chart: new BlockCusum({ block, reference, allowance, limit }),
      }));
      for (let t = 0; t < DAYS * SAMPLES_A_DAY; t += 1) {
        const common = process.common(t);
        const values = leaveOneOut(ranks.map(({ series }) => series(t) + common));
        for (const [rank, { chart }] of ranks.entries()) if (chart.push(values[rank] ?? 0) !== null) events += 1;
      }
    }
    return { events, days: Math.ceil(jobs) * RANKS * (DAYS - (block * reference) / SAMPLES_A_DAY) };
  };
}

/** Equal replicas, of which one is missing now and then; runs begin anew. */
function replicas(steps: number): number {
  const random = new Random(3);
  const shape = { groups: Array.from({ length: RANKS }, () => 1), local: Array.from({ length: RANKS }, (_, k) => k) };
  let analysis = new RunAnalysis(shape, shippedLimits());
  const job = new Replicas(RANKS);
  let accused = 0;
  for (let step = 1; step <= steps; step += 1) {
    job.step(random);
    const checksums = job.checksums();
    if (random.next() < 0.05) checksums[random.integer(RANKS)] = '';
    if (random.next() < 0.001) analysis = new RunAnalysis(shape, shippedLimits());
    accused += analysis.replicas({ checksums, blocks: [] }, { step, timeUs: step }).length;
  }
  return accused;
}

function replays(rounds: number): number {
  const random = new Random(4);
  const shape = { groups: Array.from({ length: RANKS }, () => 1), local: [0] };
  const analysis = new RunAnalysis(shape, shippedLimits());
  let accused = 0;
  for (let step = 1; step <= rounds; step += 1) {
    accused += analysis.replay(replayed(random.integer(RANKS), RANKS, random, null), { step, timeUs: step }).length;
  }
  return accused;
}
