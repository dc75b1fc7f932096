import { dashboard, UIDS } from './dashboard.js';
import { lines, stat, timeline } from './panels.js';
import { ENGINE, NO_ENGINE, NONE_IS_WELL, quantile, YES_NO } from './terms.js';

const AT = `${ENGINE},instance=~"$instance"`;
const each = (metric: string): { expr: string; legend: string } => ({
  expr: `${metric}{${AT}}`,
  legend: '{{instance}}',
});

const NOW = [
  stat({
    title: 'An engine decides',
    description: 'Of all replicas exactly one holds the lead. Otherwise NoEngineDecides fires after two minutes.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `sum(sentinel_replica_decides{${ENGINE}})` }],
    noValue: NO_ENGINE,
    names: YES_NO,
    steps: [
      [null, 'green'],
      [2, 'red'],
    ],
  }),
  stat({
    title: 'Agents connected',
    description: 'gRPC streams of agents, over all replicas.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `sum(sentinel_grpc_active_streams{${ENGINE}})` }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'red'],
      [1, 'green'],
    ],
  }),
  stat({
    title: 'Buffer fill',
    description:
      'Of the records that may wait for their commit, those that do, on the fullest replica. Above 80 % for five minutes CorrelationBufferHigh fires.',
    unit: 'percentunit',
    width: 4,
    decimals: 0,
    queries: [{ expr: 'max(sentinel:correlation_buffer:ratio)' }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [0.5, 'yellow'],
      [0.8, 'red'],
    ],
  }),
  stat({
    title: 'Commit, 99th percentile',
    description:
      'From the statements of a transaction to its commit. Above 5 s for ten minutes CorrelationLatencyHigh fires.',
    unit: 's',
    width: 4,
    queries: [
      {
        expr: `max(sentinel:correlation_processing_latency_seconds:p99_5m > 0) or 0 * max(sentinel_replica_decides{${ENGINE}})`,
      },
    ],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [1, 'yellow'],
      [5, 'red'],
    ],
  }),
  stat({
    title: 'Behind in the ledger',
    description:
      'Age of the oldest decision that the audit ledger does not have. Above 300 s for five minutes OutboxLag fires.',
    unit: 's',
    width: 4,
    queries: [{ expr: `max(sentinel_outbox_lag_seconds{${ENGINE}})` }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [30, 'yellow'],
      [300, 'red'],
    ],
  }),
  stat({
    title: 'Stores away',
    description: 'Of PostgreSQL, history, ledger and Redis, those that some replica cannot reach.',
    unit: 'short',
    width: 4,
    queries: [
      { expr: `count(min by (store) (sentinel_store_up{${ENGINE}}) == 0) or 0 * max(sentinel_store_up{${ENGINE}})` },
    ],
    noValue: NO_ENGINE,
    steps: NONE_IS_WELL,
  }),
];

const WORK = [
  lines({
    title: 'Records committed',
    description: 'Per second: batches of results, telemetry, orders and timers.',
    unit: 'ops',
    width: 12,
    min: 0,
    queries: [
      {
        expr: `sum by (instance) (rate(sentinel_correlation_events_processed_total{${AT}}[$__rate_interval]))`,
        legend: '{{instance}}',
      },
    ],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Commit latency',
    description: 'Of one transaction. High: look at the database and its disk.',
    unit: 's',
    width: 12,
    min: 0,
    queries: [0.5, 0.95, 0.99].map((q) => ({
      expr: quantile(q, `sentinel_correlation_processing_latency_seconds{${AT}}`),
      legend: `${q * 100} %`,
    })),
    noValue: 'nothing was committed',
  }),
  lines({
    title: 'Buffer',
    description: 'Records that wait for their commit, and how many may before agents are slowed down.',
    unit: 'short',
    width: 12,
    min: 0,
    queries: [
      { expr: `sentinel_correlation_buffer_size{${AT}}`, legend: 'wait on {{instance}}' },
      { expr: `sentinel_correlation_buffer_max{${AT}}`, legend: 'may wait on {{instance}}' },
    ],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Connected agents',
    description: 'gRPC streams, by replica.',
    unit: 'short',
    width: 12,
    min: 0,
    stacked: true,
    queries: [each('sentinel_grpc_active_streams')],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Refused',
    description:
      'Calls, streams and records by reason, since the start of the engine. BAD_MAC or UNKNOWN_KEY: see hmac_keys of engine and agents.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [{ expr: `sum by (place, reason) (sentinel_refused_total{${AT}})`, legend: '{{reason}} ({{place}})' }],
    noValue: 'Nothing was refused.',
  }),
  lines({
    title: 'Given up',
    description: 'Per hour: what bounded queues and memory had no room for. What each means is in docs/telemetry.md.',
    unit: 'short',
    width: 8,
    min: 0,
    bars: true,
    queries: [
      { expr: `sum by (what) (increase(sentinel_left_out_total{${AT}}[1h]))`, legend: 'left out: {{what}}' },
      { expr: `sum by (what) (increase(sentinel_forgotten_total{${AT}}[1h]) > 0)`, legend: 'forgotten: {{what}}' },
    ],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Canaries',
    description: 'Per hour, by outcome. timeout rising: agents are away. no_majority: see `sentinel trust`.',
    unit: 'short',
    width: 8,
    min: 0,
    bars: true,
    queries: [{ expr: `sum by (outcome) (increase(sentinel_tmr_canaries_total{${AT}}[1h]))`, legend: '{{outcome}}' }],
    noValue: NO_ENGINE,
  }),
];

const STORES = [
  timeline({
    title: 'Stores reached',
    description: 'No: the engine cannot reach it. state is PostgreSQL. A store that was never asked has no bar.',
    unit: 'short',
    width: 8,
    queries: [{ expr: `min by (store) (sentinel_store_up{${AT}})`, legend: '{{store}}' }],
    noValue: NO_ENGINE,
    names: YES_NO,
  }),
  lines({
    title: 'Outbox',
    description: 'Decisions that wait for the audit ledger. Growing: it does not run, or does not answer.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [each('sentinel_outbox_pending')],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Waiting for the history',
    description: 'Committed records that are not archived yet. Growing: look at the disk or cluster of the history.',
    unit: 'bytes',
    width: 8,
    min: 0,
    queries: [each('sentinel_history_pending_bytes')],
    noValue: NO_ENGINE,
  }),
];

const REPLICAS = [
  timeline({
    title: 'Which replica decides',
    description: 'Yes: it holds the lead. A change is a failover.',
    unit: 'short',
    width: 8,
    queries: [each('sentinel_replica_decides')],
    noValue: NO_ENGINE,
    names: { ...YES_NO, '0': { text: 'no', color: 'blue' } },
  }),
  timeline({
    title: 'Which replica serves',
    description: 'Yes: it decides, or reaches the one that does.',
    unit: 'short',
    width: 8,
    queries: [each('sentinel_replica_serving')],
    noValue: NO_ENGINE,
    names: YES_NO,
  }),
  lines({
    title: 'Calls carried to the one that decides',
    description: 'By replica. 0 with one engine.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [each('sentinel_replica_carried_calls')],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Processor',
    description: 'Of one core. The engine decides on one thread: near 100 % it is at its limit.',
    unit: 'percentunit',
    width: 6,
    min: 0,
    queries: [{ expr: `rate(process_cpu_seconds_total{${AT}}[$__rate_interval])`, legend: '{{instance}}' }],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Memory',
    description: 'Resident. It grows with the devices of the fleet, not with time.',
    unit: 'bytes',
    width: 6,
    min: 0,
    queries: [each('process_resident_memory_bytes')],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Event-loop delay',
    description: '99th percentile. Above a second: the processor is used up, and everything waits.',
    unit: 's',
    width: 6,
    min: 0,
    queries: [each('nodejs_eventloop_lag_p99_seconds')],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Readers of live updates',
    description: 'Connected to each replica.',
    unit: 'short',
    width: 6,
    min: 0,
    queries: [each('sentinel_event_streams')],
    noValue: NO_ENGINE,
  }),
];

export const ENGINE_PERFORMANCE = dashboard({
  uid: UIDS.engine,
  title: 'SENTINEL / Correlation Engine Performance',
  description: 'Whether decisions are made in time: streams, commits, buffer, stores, replicas.',
  from: 'now-6h',
  variables: [
    {
      name: 'instance',
      label: 'Engine',
      query: `label_values(sentinel_replica_decides{${ENGINE}}, instance)`,
      several: true,
    },
  ],
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'Work', panels: WORK },
    { title: 'Stores', panels: STORES },
    { title: 'Replicas and processes', panels: REPLICAS },
  ],
});
