import { ADDED_SETTINGS } from '../complete-config.js';
import type { CoreConfig, GateSettings } from '../model/settings.js';

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
    deep_test_after_hours: 1,
  },
  reinstatementPassCount: 1000,
  priorAlpha: 100,
  priorBeta: 1,
  ...ADDED_SETTINGS,
  trust_graph: { ...ADDED_SETTINGS.trust_graph, enabled: true },
};

export function configWith(gates: Partial<GateSettings>, rest: Partial<CoreConfig> = {}): CoreConfig {
  return { ...CONFIG, ...rest, gates: { ...CONFIG.gates, ...gates } };
}

/** Gate 7 with no room at all. */
export const NO_QUARANTINES = { hour_min: 0, hour_fraction: 0, day_min: 0, day_fraction: 0 };
