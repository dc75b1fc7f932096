import { systemClock } from '@sentinel/service-kit/clock';
import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { KeyRing } from '@sentinel/service-kit/mac';
import { vouchedBy } from './cohort-manifest.js';
import type { Admission } from './control/handshake.js';
import type { CoreConfig } from './core.js';
import type { DatabaseOptions } from './store/connect.js';

/**
 * What the decisions depend on, as it goes into the record log: plain data, so that a replay has it.
 * @param nowUs a manifest of cohorts must not have expired by then
 * @throws SentinelError FAILED_PRECONDITION where the manifest of cohorts is not to be believed
 */
export function coreConfig(config: CorrelationEngineConfig, nowUs = Number(systemClock.nowUs())): CoreConfig {
  const vouched = vouchedBy(config.cohort_manifest, nowUs);
  const { mode, gates, attribution, correlation, state_machine, bayesian_model, tmr, trust_graph } = config;
  return {
    mode,
    gates: structuredClone(gates) as CoreConfig['gates'],
    reinstatementPassCount: state_machine.reinstatement_pass_count,
    maxQuarantineHours: state_machine.max_quarantine_hours,
    requireApproval: state_machine.require_approval,
    approvalExpiryHours: state_machine.approval_expiry_hours,
    approveOwnProposals: state_machine.approve_own_proposals,
    priorAlpha: bayesian_model.prior_alpha,
    priorBeta: bayesian_model.prior_beta,
    halfLifeHours: bayesian_model.decay_half_life_hours,
    attribution: structuredClone(attribution) as CoreConfig['attribution'],
    correlation: { windowSeconds: correlation.window_seconds, minConfidence: correlation.min_confidence },
    thresholds: {
      suspect: state_machine.healthy_to_suspect_threshold,
      quarantine: state_machine.suspect_to_quarantine_threshold,
      healthy: state_machine.quarantine_to_healthy_threshold,
    },
    immediateQuarantineFailures: state_machine.immediate_quarantine_failures,
    tmr: { ...tmr },
    trust_graph: { ...trust_graph },
    vouchedCohorts: vouched.cohorts,
    vouchedUntilUs: vouched.untilUs,
  };
}

/** An empty key is none: its batches are refused. Keys are UTF-8 text, as agents take theirs. */
export function admission(config: CorrelationEngineConfig): Admission {
  const keys = Object.entries(config.hmac_keys).filter(([, key]) => key !== '');
  return {
    keys: new KeyRing(new Map(keys.map(([id, key]) => [id, Buffer.from(key, 'utf8')]))),
    enrolled: config.enrolment === 'open' ? null : new Set(config.enrolled_nodes),
    allowTestBuilds: config.allow_test_builds,
    requireNodeIdentity: config.security.require_node_identity,
  };
}

export function databaseOptions({ database }: CorrelationEngineConfig): DatabaseOptions {
  return {
    url: database.postgres_url,
    maxConnections: database.max_connections,
    connectTimeoutMs: database.connect_timeout_ms,
    sslmode: database.sslmode,
    caFile: database.ca_file,
  };
}

/** Several engines share the database: one decides, all serve. Setting a server for `redis.url` says so. */
export function isReplicated({ redis }: CorrelationEngineConfig): boolean {
  return !redis.url.startsWith('memory:');
}
