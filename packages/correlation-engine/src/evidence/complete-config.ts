import type { AttributionSettings, CoreConfig, GateSettings } from './model/settings.js';

const JOB_HEALTHY_RATE = 1e-6;

/** Settings that configurations stored or logged by earlier releases lack, at the defaults of this one. */
export const ADDED_SETTINGS: Omit<
  CoreConfig,
  'mode' | 'gates' | 'reinstatementPassCount' | 'priorAlpha' | 'priorBeta'
> = {
  halfLifeHours: 168,
  attribution: {
    unit_defects_per_gpu_year: 1e-3,
    gpu_defects_per_gpu_year: 3e-4,
    node_faults_per_node_year: 2e-3,
    cohort_faults_per_year: 0.1,
    healthy_failure_rate: 1e-9,
    job_healthy_rate: JOB_HEALTHY_RATE,
    quarantine_odds: 19,
    other_bin_weight: 0.1,
    failure_probabilities: [0.999, 0.1, 0.01, 1e-3, 1e-4, 1e-5],
  },
  // They did not run then.
  tmr: { enabled: false, interval_seconds: 600, timeout_ms: 30_000, selection_strategy: 'round_robin' },
  trust_graph: { enabled: false, snapshot_interval_seconds: 3600 },
  correlation: { windowSeconds: 300, minConfidence: 0.6 },
  vouchedCohorts: [],
  vouchedUntilUs: null,
  thresholds: { suspect: 0.95, quarantine: 0.8, healthy: 0.98 },
  immediateQuarantineFailures: 3,
  maxQuarantineHours: 720,
  requireApproval: false,
  approvalExpiryHours: 72,
  approveOwnProposals: false,
};

/** A configuration that may come from an earlier release. */
export function completeConfig(config: CoreConfig): CoreConfig {
  const missing = Object.entries(ADDED_SETTINGS).filter(([key]) => !Object.hasOwn(config, key));
  // What is there keeps its order: replay compares bytes.
  const all = { ...config, ...Object.fromEntries(missing) };
  return { ...all, gates: completeGates(all.gates), attribution: completeAttribution(all.attribution) };
}

/** No deep test started by itself then. */
function completeGates(gates: GateSettings): GateSettings {
  return Object.hasOwn(gates, 'deep_test_after_hours') ? gates : { ...gates, deep_test_after_hours: 0 };
}

/** No job was compared then. */
function completeAttribution(settings: AttributionSettings): AttributionSettings {
  return Object.hasOwn(settings, 'job_healthy_rate') ? settings : { ...settings, job_healthy_rate: JOB_HEALTHY_RATE };
}
