import { type Process, SAMPLES_A_DAY } from '@sentinel/monitor-kit/testing/healthy';
import { Random } from '@sentinel/monitor-kit/testing/random';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import { PARTS, type Part, StatisticWatch } from '../../analysers/statistic-watch.js';

const DAY_S = 86_400;

/** Alarms that began, and days in which the chart had learnt enough to judge. */
export interface Alarms {
  events: number;
  days: number;
}

export const CHARTS = ['mean', 'distribution', 'cohort_mean', 'cohort_distribution'] as const;
export type Chart = (typeof CHARTS)[number];

export interface Fleet {
  readonly process: Process;
  readonly limits: InferenceThresholds;
  readonly replicas: number;
  readonly days: number;
  readonly seed: number;
}

/** Healthy replicas of one model, each charted by itself and against the others. */
export function healthyReplicas(fleet: Fleet, found: Record<Chart, Alarms>): void {
  const { process, limits, replicas: count, days, seed } = fleet;
  const { block_s, m } = limits.block_ewma;
  const perBlock = (SAMPLES_A_DAY * block_s) / DAY_S;
  const blocks = (days * DAY_S) / block_s;
  const random = new Random(seed);
  const replicas = Array.from({ length: count }, () => ({
    series: process.series(random),
    watch: new StatisticWatch(limits, true),
  }));
  for (let block = 0; block < blocks; block += 1) {
    for (let k = block * perBlock; k < (block + 1) * perBlock; k += 1) {
      const common = process.common(k);
      for (const { series, watch } of replicas) watch.add(series(k) + common);
    }
    for (const { watch } of replicas) {
      const verdict = watch.close(block);
      if (verdict?.drift?.first === true) found.mean.events += 1;
      if (verdict?.moved?.drift?.first === true) found.distribution.events += 1;
    }
    for (const part of PARTS) compare(replicas, part, block, found);
  }
  const learning = { mean: m, distribution: m + Math.ceil(limits.kl_divergence.min_reference_samples / perBlock) };
  for (const part of PARTS) {
    found[part].days += (count * (blocks - learning[part]) * block_s) / DAY_S;
    const before = part === 'mean' ? 0 : learning.distribution;
    found[`cohort_${part}`].days += (count * (blocks - before - m) * block_s) / DAY_S;
  }
}

function compare(
  replicas: readonly { watch: StatisticWatch }[],
  part: Part,
  block: number,
  found: Record<Chart, Alarms>,
): void {
  const means = replicas.map(({ watch }) => watch.blockMean(part, block));
  for (const [own, { watch }] of replicas.entries()) {
    const others = means
      .filter((mean, k) => k !== own && mean !== null)
      .map((mean) => mean ?? { mean: 0, requests: 0 });
    if (watch.compare(part, block, others)?.first === true) found[`cohort_${part}`].events += 1;
  }
}
