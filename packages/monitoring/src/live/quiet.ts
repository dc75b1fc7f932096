/** What has no series while nothing is wrong, and why. Everything else has some on every running system. */
export interface Quiet {
  /** By metric. */
  readonly metrics: Readonly<Record<string, string>>;
  /** By dashboard and panel, or by the name of a recording rule. */
  readonly expressions: Readonly<Record<string, string>>;
}

const NOT_OFFERED = 'the devices offer no such sensor';
const NO_READER = 'no reader of the ledger runs';
const NEVER_REFUSED = 'nothing was refused';
const ALL_WELL = 'nothing is wrong';

/** Where readers of the ledger are not started, as in compose. */
export const WITHOUT_READERS: Quiet = {
  metrics: {
    sentinel_audit_fork_detected: NO_READER,
    sentinel_audit_reader_serving: NO_READER,
    sentinel_audit_checkpoint_age_seconds: NO_READER,
  },
  expressions: {
    'audit-ledger-status: Readers that serve': NO_READER,
    'audit-ledger-status: Readers: age of the newest checkpoint': NO_READER,
  },
};

const NO_MONITOR = 'no training monitor runs';

/** Where no node has a training monitor. */
export const WITHOUT_TRAINING: Quiet = {
  metrics: Object.fromEntries(
    [
      'anomalies_total',
      'crowded_rounds',
      'disagreeing_copies',
      'grpc_stream_active',
      'info',
      'late_copies',
      'library_dropped_total',
      'not_sent_total',
      'overhead_seconds_total',
      'queue_dropped',
      'ranks',
      'records_given_up_total',
      'records_total',
      'refused_total',
      'spool_bytes',
      'step_seconds_total',
    ].map((name) => [`sentinel_training_${name}`, NO_MONITOR]),
  ),
  expressions: Object.fromEntries(
    [
      'Ranks',
      'Monitors that do not reach the engine',
      'Cost of the library',
      'Findings',
      'Findings that were not sent',
      'Records',
      'Dropped and refused',
      'Findings that wait on the nodes',
      'Rounds that were not whole',
    ].map((title) => [`training-monitors: ${title}`, NO_MONITOR]),
  ),
};

/** A healthy system: no reader, no training monitor, no sensor, no alert, no quarantine, nothing refused. */
export const WHILE_HEALTHY: Quiet = {
  metrics: {
    ...WITHOUT_READERS.metrics,
    ...WITHOUT_TRAINING.metrics,
    sentinel_anomaly_events_total: 'no monitor told of anything',
    sentinel_gpu_temperature_celsius: NOT_OFFERED,
    sentinel_gpu_power_watts: NOT_OFFERED,
    sentinel_refused_total: NEVER_REFUSED,
    sentinel_node_disconnected: 'every node is connected',
    ALERTS: ALL_WELL,
  },
  expressions: {
    ...WITHOUT_READERS.expressions,
    ...WITHOUT_TRAINING.expressions,
    'training-monitors: Events of monitors': 'no monitor told of anything',
    'gpu-deep-dive: Temperature': NOT_OFFERED,
    'gpu-deep-dive: Power': NOT_OFFERED,
    'gpu-deep-dive: Temperature over time': NOT_OFFERED,
    'gpu-deep-dive: Power over time': NOT_OFFERED,
    'correlation-engine-performance: Refused': NEVER_REFUSED,
    'correlation-engine-performance: Given up': 'the memory of decisions has room',
    'fleet-health-overview: Alerts that fire': ALL_WELL,
    'fleet-health-overview: Devices that are not healthy': ALL_WELL,
    'fleet-health-overview: Nodes whose agent is away': ALL_WELL,
    'fleet-health-overview: From the first wrong result to the quarantine': 'nothing was quarantined',
    'audit-ledger-status: Duration of a group commit': 'nothing was written since Prometheus is there',
    'audit-ledger-status: Last verified': 'the ledger has not verified itself since its start',
  },
};
