import type { TmrSettings, TrustGraphSettings } from '../../canary/facts.js';

/** `correlation_engine.gates` of the configuration, under its own names: there are the units, defaults and sources. */
export interface GateSettings {
  readonly locality_same_digest: number;
  readonly locality_passing_fraction: number;
  readonly cohort_min_gpus: number;
  readonly cohort_min_nodes: number;
  readonly cohort_selftest_fraction: number;
  readonly dwell_seconds: number;
  readonly dwell_small_seconds: number;
  readonly small_fleet_nodes: number;
  readonly breadth_nodes: number;
  readonly breadth_poisson_tail: number;
  readonly rate_limit: {
    readonly hour_min: number;
    readonly hour_fraction: number;
    readonly day_min: number;
    readonly day_fraction: number;
  };
  readonly burst_executions: number;
  readonly burst_seconds: number;
  readonly followup_days: number;
  readonly followup_interval_ms: number;
  readonly deep_test_seconds: number;
  readonly deep_test_after_hours: number;
}

/** `correlation_engine.attribution` of the configuration, under its own names: there are the units, defaults and sources. */
export interface AttributionSettings {
  readonly unit_defects_per_gpu_year: number;
  readonly gpu_defects_per_gpu_year: number;
  readonly node_faults_per_node_year: number;
  readonly cohort_faults_per_year: number;
  readonly healthy_failure_rate: number;
  readonly job_healthy_rate: number;
  readonly quarantine_odds: number;
  readonly other_bin_weight: number;
  readonly failure_probabilities: readonly number[];
}

/** `correlation_engine.correlation` of the configuration. */
export interface CorrelationSettings {
  readonly windowSeconds: number;
  readonly minConfidence: number;
}

/** What operators may change, all of it while the engine runs. The shell takes it from `correlation_engine`. */
export interface CoreConfig {
  readonly mode: 'observe' | 'enforce';
  readonly gates: GateSettings;
  /** `state_machine.reinstatement_pass_count` */
  readonly reinstatementPassCount: number;
  /** `state_machine.max_quarantine_hours`, `require_approval`, `approval_expiry_hours` and `approve_own_proposals` */
  readonly maxQuarantineHours: number;
  readonly requireApproval: boolean;
  readonly approvalExpiryHours: number;
  readonly approveOwnProposals: boolean;
  /** `bayesian_model.prior_alpha` and `prior_beta`: of the displayed score only. */
  readonly priorAlpha: number;
  readonly priorBeta: number;
  /** `bayesian_model.decay_half_life_hours`: of how much was seen, as the displayed score shows it. */
  readonly halfLifeHours: number;
  readonly attribution: AttributionSettings;
  readonly correlation: CorrelationSettings;
  /** Displayed scores of `state_machine`; they act through the odds that they stand for. */
  readonly thresholds: { readonly suspect: number; readonly quarantine: number; readonly healthy: number };
  /** `state_machine.immediate_quarantine_failures` */
  readonly immediateQuarantineFailures: number;
  readonly tmr: TmrSettings;
  readonly trust_graph: TrustGraphSettings;
  /** Keys of cohorts that an operator signed for (`cohort_manifest`). */
  readonly vouchedCohorts: readonly string[];
  /** Until when they did; null = without an end. */
  readonly vouchedUntilUs: number | null;
}
