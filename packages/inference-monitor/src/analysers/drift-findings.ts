import type { Drift } from '@sentinel/monitor-kit/charts/block-ewma';
import { type Severity, severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { Detector, Finding, FindingType } from './finding.js';
import type { BlockVerdict, Part } from './statistic-watch.js';

/** A statistic as findings tell of it. */
export interface Told {
  readonly type: FindingType;
  readonly detector: Detector;
  /** In a sentence, such as "entropy". */
  readonly name: string;
  /** It depends on what users ask for more than on what computes it: alone it accuses nobody. */
  readonly ofTraffic: boolean;
}

export const TOLD: Readonly<Record<string, Told>> = {
  entropy: { type: 'ENTROPY_ANOMALY', detector: 'entropy-drift', name: 'entropy', ofTraffic: false },
  top_logprob: {
    ...{
      type: 'LOGIT_DRIFT',
      detector: 'logprob-drift',
      name: 'log probability of the likeliest token',
      ofTraffic: false,
    },
  },
  max_logit: { type: 'LOGIT_DRIFT', detector: 'logit-drift', name: 'largest logit', ofTraffic: false },
  length: {
    type: 'LOGIT_DRIFT',
    detector: 'length-drift',
    name: 'logarithm of the length of answers',
    ofTraffic: true,
  },
};

/** Without other replicas nothing tells a fault from other traffic: such findings are no graver. */
const GRAVEST_ALONE: Severity = 'WARNING';

const ORDER: readonly Severity[] = ['INFO', 'WARNING', 'HIGH', 'CRITICAL'];

/** A drift of a replica's own chart, and of its distribution: what it found in one block that is over. */
export function ofBlock(told: Told, verdict: BlockVerdict, limits: InferenceThresholds, timeUs: number): Finding[] {
  const { drift, moved, advisory, requests } = verdict;
  const found: Finding[] = [];
  const base = { workers: 'all', timeUs } as const;
  if (drift?.first === true) {
    const severity = alone(told, advisory.mean, ofDrift(drift, limits));
    const detail = `The mean ${told.name} drifts by ${shown(drift.shift)} (${shown(drift.average)} standard deviations, limit ${shown(drift.limit)}), from block to block; ${requests} requests in the last`;
    found.push({ ...base, ...named(told), severity, value: drift.average, limit: drift.limit, detail });
  }
  if (moved?.drift?.first === true) {
    const severity = alone(told, advisory.distribution, atLeastWarning(moved.distance.nats, limits));
    found.push({ ...base, ...ofDistribution(told, moved.drift, moved.distance.nats), severity });
  } else if (moved !== null && moved.drift === null && moved.distance.nats > limits.kl_divergence.threshold) {
    const { nats } = moved.distance;
    const detail = `The ${told.name} of ${requests} requests is distributed ${shown(nats)} nats from the reference, as far as blocks of this model are now and then`;
    const known = { type: 'KL_DIVERGENCE', detector: 'kl', severity: 'INFO' } as const;
    found.push({ ...base, ...known, value: nats, limit: limits.kl_divergence.threshold, detail });
  }
  return found;
}

/** A drift against other replicas. */
export function ofCohort(told: Told, part: Part, drift: Drift, limits: InferenceThresholds, timeUs: number): Finding[] {
  if (!drift.first) return [];
  const base = { workers: 'all', timeUs, severity: atLeast('WARNING', ofDrift(drift, limits)) } as const;
  const { average: value, limit } = drift;
  const what = part === 'mean' ? `mean ${told.name}` : `distribution of the ${told.name}`;
  const detail = `The ${what} drifts away from that of the other replicas by ${shown(drift.shift)} (${shown(value)} standard deviations, limit ${shown(limit)})`;
  const kind = part === 'mean' ? named(told) : ({ type: 'KL_DIVERGENCE', detector: 'kl' } as const);
  return [{ ...base, ...kind, value, limit, detail }];
}

function ofDistribution(told: Told, { average: value, limit }: Drift, nats: number) {
  const detail = `The distribution of the ${told.name} drifts away from its reference: ${shown(nats)} nats in the last block (${shown(value)} standard deviations on average, limit ${shown(limit)})`;
  return { type: 'KL_DIVERGENCE', detector: 'kl', value, limit, detail } as const;
}

function named({ type, detector }: Told): Pick<Finding, 'type' | 'detector'> {
  return { type, detector };
}

function ofDrift({ average, limit }: Drift, { block_ewma }: InferenceThresholds): Severity {
  return severityOf(Math.abs(average) / limit, block_ewma.severity);
}

function atLeastWarning(nats: number, { kl_divergence }: InferenceThresholds): Severity {
  return atLeast('WARNING', severityOf(nats, kl_divergence.severity));
}

function alone({ ofTraffic }: Told, advisory: boolean, severity: Severity): Severity {
  if (advisory || ofTraffic) return 'INFO';
  return ORDER.indexOf(severity) > ORDER.indexOf(GRAVEST_ALONE) ? GRAVEST_ALONE : severity;
}

function atLeast(least: Severity, severity: Severity): Severity {
  return ORDER.indexOf(severity) < ORDER.indexOf(least) ? least : severity;
}
