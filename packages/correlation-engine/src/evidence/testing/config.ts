import type { CoreConfig, GateSettings } from '../model.js';

/** The defaults of `correlation_engine`, in enforce mode and with the deep test of `npm start`. */
export const CONFIG: CoreConfig = {
  mode: 'enforce',
  gates: {
    locality_same_digest: 3,
    locality_passing_fraction: 0.5,
    cohort_min_gpus: 20,
    cohort_min_nodes: 3,
    cohort_selftest_fraction: 0.5,
    dwell_seconds: 600,
    dwell_small_seconds: 10,
    small_fleet_nodes: 3,
    breadth_nodes: 3,
    breadth_poisson_tail: 1e-5,
    rate_limit: { hour_min: 2, hour_fraction: 0.005, day_min: 4, day_fraction: 0.02 },
    burst_executions: 1000,
    burst_seconds: 60,
    followup_days: 7,
    followup_interval_ms: 1000,
    deep_test_seconds: 0,
  },
  reinstatementPassCount: 1000,
  maxQuarantineHours: 720,
  requireApproval: false,
  approvalExpiryHours: 72,
  approveOwnProposals: false,
  priorAlpha: 100,
  priorBeta: 1,
  halfLifeHours: 168,
  attribution: {
    unit_defects_per_gpu_year: 1e-3,
    gpu_defects_per_gpu_year: 3e-4,
    node_faults_per_node_year: 2e-3,
    cohort_faults_per_year: 0.1,
    healthy_failure_rate: 1e-9,
    quarantine_odds: 19,
    other_bin_weight: 0.1,
    failure_probabilities: [0.999, 0.1, 0.01, 1e-3, 1e-4, 1e-5],
  },
  correlation: { windowSeconds: 300, minConfidence: 0.6 },
  thresholds: { suspect: 0.95, quarantine: 0.8, healthy: 0.98 },
  immediateQuarantineFailures: 3,
  tmr: { enabled: false, interval_seconds: 600, timeout_ms: 30_000, selection_strategy: 'round_robin' },
  trust_graph: { enabled: true, snapshot_interval_seconds: 3600 },
  vouchedCohorts: [],
};

export function configWith(gates: Partial<GateSettings>, rest: Partial<CoreConfig> = {}): CoreConfig {
  return { ...CONFIG, ...rest, gates: { ...CONFIG.gates, ...gates } };
}

/** Gate 7 with no room at all. */
export const NO_QUARANTINES = { hour_min: 0, hour_fraction: 0, day_min: 0, day_fraction: 0 };
