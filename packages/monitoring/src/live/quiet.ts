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

/** Where no node has a monitor of this kind. */
function without(prefix: string, why: string, dashboard: string, metrics: string[], titles: string[]): Quiet {
  return {
    metrics: Object.fromEntries(metrics.map((name) => [`${prefix}_${name}`, why])),
    expressions: Object.fromEntries(titles.map((title) => [`${dashboard}: ${title}`, why])),
  };
}

/** Of every kind of monitor. */
const UPLINK = [
  'anomalies_total',
  'grpc_stream_active',
  'info',
  'not_sent_total',
  'records_given_up_total',
  'spool_bytes',
];
const UPLINK_TITLES = [
  'Dropped and refused',
  'Findings',
  'Findings that wait on the nodes',
  'Findings that were not sent',
  'Monitors that do not reach the engine',
];

/** Where no node has a training monitor. */
export const WITHOUT_TRAINING: Quiet = without(
  'sentinel_training',
  'no training monitor runs',
  'training-monitors',
  [
    ...UPLINK,
    'crowded_rounds',
    'disagreeing_copies',
    'late_copies',
    'library_dropped_total',
    'overhead_seconds_total',
    'queue_dropped',
    'ranks',
    'records_total',
    'refused_total',
    'step_seconds_total',
  ],
  [...UPLINK_TITLES, 'Cost of the library', 'Ranks', 'Records', 'Rounds that were not whole'],
);

/** Where a monitor knows of no other replica. */
const REPLICAS = ['contradictions', 'repeatable', 'replicas_asked_total', 'rounds_skipped_total', 'rounds_total'];
const REPLICA_TITLES = [
  'Answers of other replicas',
  'Comparisons with other replicas',
  'Whether bits of a server count',
];
export const WITHOUT_REPLICAS: Quiet = without(
  'sentinel_inference',
  'no replica is compared',
  'inference-monitors',
  REPLICAS,
  REPLICA_TITLES,
);

/** Where no node has an inference monitor. */
export const WITHOUT_INFERENCE: Quiet = without(
  'sentinel_inference',
  'no inference monitor runs',
  'inference-monitors',
  [
    ...UPLINK,
    ...REPLICAS,
    'front_doubts',
    'front_failures',
    'front_refused',
    'front_restarts',
    'front_serving',
    'front_unavailable',
    'queue_dropped',
    'records_total',
    'refused_total',
    'requests_total',
    'sender_dropped_total',
    'unread_total',
  ],
  [
    ...UPLINK_TITLES,
    ...REPLICA_TITLES,
    'Front: what went wrong',
    'Passed unsampled though drawn',
    'Requests',
    'Requests that are looked at',
    'Sidecars through which requests pass',
  ],
);

/** A healthy system: no reader, no monitor, no sensor, no alert, no quarantine, nothing refused. */
export const WHILE_HEALTHY: Quiet = {
  metrics: {
    ...WITHOUT_READERS.metrics,
    ...WITHOUT_TRAINING.metrics,
    ...WITHOUT_INFERENCE.metrics,
    sentinel_injector_reviews_total: 'no injector runs',
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
    ...WITHOUT_INFERENCE.expressions,
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
