import { bench, median } from '@sentinel/bench-kit';
import { BlockCusum } from '@sentinel/monitor-kit/charts/block-cusum';
import { leaveOneOut } from '@sentinel/monitor-kit/charts/leave-one-out';
import { SpikeChart } from '@sentinel/monitor-kit/charts/spike-chart';
import { HEALTHY, type Process, SAMPLES_A_DAY } from '@sentinel/monitor-kit/testing/healthy';
import { medianUpper, wilsonLower } from '@sentinel/monitor-kit/testing/intervals';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { MIN_AGREED } from '../analysers/agreements.js';
import { RunAnalysis } from '../analysers/run-analysis.js';
import { shippedLimits } from './support/limits.js';
import { replayed } from './support/micro-batch.js';
import { Replicas } from './support/replicas.js';

const RANKS = 8;
const FAULTS = 1_000;
const SHIFT = 0.2;
const SHIFTS = 400;
const QUICK_SHIFTS = 60;
const SPIKE_RUNS = 20;
const MILLION = 1e6;

/** Injected faults on a virtual clock, through the shipped analysers and limits. */
export default bench({
  name: 'training-power',
  async run({ quick, log }) {
    const figures: Record<string, number> = {};
    const named = replicaFaults();
    figures['replica_faults'] = FAULTS;
    figures['replica_named_pct'] = (100 * named) / FAULTS;
    figures['replica_named_lower95_pct'] = 100 * wilsonLower(named, FAULTS);
    log(`replica checksums named the rank in ${named} of ${FAULTS} faults`);
    const replay = replayFaults();
    figures['replay_faults'] = FAULTS;
    figures['replay_detected_pct'] = (100 * replay.detected) / FAULTS;
    figures['replay_detected_lower95_pct'] = 100 * wilsonLower(replay.detected, FAULTS);
    figures['replay_named_pct'] = (100 * replay.named) / FAULTS;
    log(`replays noticed ${replay.detected} of ${FAULTS} faults and named the rank in ${replay.named}`);
    for (const process of HEALTHY) {
      if (process.name === 'diurnal') continue;
      const hours = shiftHours(process, quick ? QUICK_SHIFTS : SHIFTS);
      const name = process.name === 'normal' ? '' : `${process.name}_`;
      figures[`shift_median_${name}hours`] = median(hours);
      if (name === '') figures['shift_median_upper95_hours'] = medianUpper(hours);
      log(
        `a shift of ${SHIFT} standard deviations on ${process.name}: found after ${median(hours).toFixed(2)} h, median`,
      );
    }
    figures['spike_limit_sigma'] = spikeLimit();
    return { figures };
  },
});

function shapeOf(ranks: number) {
  return { groups: Array.from({ length: ranks }, () => 1), local: Array.from({ length: ranks }, (_, k) => k) };
}

/** One bit of one replica, then a round; the replica is made like the others before the next fault. */
function replicaFaults(): number {
  const random = new Random(1);
  const analysis = new RunAnalysis(shapeOf(RANKS), shippedLimits());
  const job = new Replicas(RANKS);
  let named = 0;
  for (let fault = 0; fault < FAULTS; fault += 1) {
    const rank = random.integer(RANKS);
    job.step(random);
    const before = analysis.replicas(job.held(), { step: 3 * fault, timeUs: fault });
    job.step(random);
    job.flip(rank, random);
    const found = analysis.replicas(job.held(), { step: 3 * fault + 1, timeUs: fault });
    const accused = [...before, ...found].filter(({ severity }) => severity !== 'INFO').flatMap(({ ranks }) => ranks);
    if (accused.length === 1 && accused[0] === rank) named += 1;
    job.repair(rank, (rank + 1) % RANKS);
    analysis.replicas(job.held(), { step: 3 * fault + 2, timeUs: fault });
  }
  return named;
}

/** Each fault in a run of its own: of the rank whose micro-batch it is, or of the one that checks it. */
function replayFaults(): { detected: number; named: number } {
  const random = new Random(2);
  const counts = { detected: 0, named: 0 };
  for (let fault = 0; fault < FAULTS; fault += 1) {
    const rank = random.integer(RANKS);
    // A neighbour computes once, so that a fault of it shows in that one computation.
    const wrong =
      random.next() < 0.7 ? { rank, stays: random.next() < 0.5 } : { rank: (rank + 1) % RANKS, stays: true };
    const analysis = new RunAnalysis(shapeOf(RANKS), shippedLimits());
    for (let round = 0; round < MIN_AGREED * RANKS; round += 1) {
      analysis.replay(replayed(round % RANKS, RANKS, random, null), { step: fault, timeUs: fault });
    }
    const found = analysis.replay(replayed(rank, RANKS, random, wrong), { step: fault, timeUs: fault });
    const accused = found.flatMap(({ ranks }) => ranks);
    if (accused.length > 0) counts.detected += 1;
    if (accused.length === 1 && accused[0] === wrong.rank) counts.named += 1;
  }
  return counts;
}

/** Hours from the shift of one rank's level until its chart finds it; half a day at most. */
function shiftHours(process: Process, runs: number): number[] {
  const {
    block_samples: block,
    reference_blocks: reference,
    allowance,
    limit,
  } = shippedLimits().cross_rank.rank_effect;
  const hours = (samples: number) => (24 * samples) / SAMPLES_A_DAY;
  return Array.from({ length: runs }, (_, run) => {
    const random = new Random(1_000 + run);
    const ranks = Array.from({ length: RANKS }, () => process.series(random));
    const chart = new BlockCusum({ block, reference, allowance, limit });
    const begin = block * reference + (run % block);
    for (let t = 0; t < begin + SAMPLES_A_DAY / 2; t += 1) {
      const values = ranks.map((series) => series(t));
      values[0] = (values[0] ?? 0) + (t >= begin ? SHIFT * process.sigma : 0);
      if (chart.push(leaveOneOut(values)[0] ?? 0) !== null && t >= begin) return hours(t - begin);
    }
    return Number.POSITIVE_INFINITY;
  });
}

/** Standard deviations that a single norm must be away from its median once a chart has seen a day of normal data. */
function spikeLimit(): number {
  const { gradient_norm: norm, false_alarms } = shippedLimits();
  const options = {
    window: norm.window_size,
    least: norm.sigma_threshold,
    probability: false_alarms.per_million / MILLION,
  };
  const limits = Array.from({ length: SPIKE_RUNS }, (_, run) => {
    const random = new Random(run);
    const chart = new SpikeChart({ ...options, side: 'both', minScale: 1e-6 });
    for (let t = 0; t < SAMPLES_A_DAY; t += 1) chart.push(random.normal());
    return chart.push(MILLION)?.limit ?? Number.NaN;
  });
  return median(limits);
}
