import { dashboard, UIDS } from './dashboard.js';
import { lines, stat, timeline } from './panels.js';
import { ENGINE, LEDGER, NO_LEDGER, NONE_IS_WELL, ONE_IS_WELL, quantile, YES_NO } from './terms.js';

const NO_READER = 'no reader runs';

const NOW = [
  stat({
    title: 'The log is intact',
    description: 'No: entries are not what was logged. AuditChainBroken fires at once.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `min(sentinel_audit_chain_verified{${LEDGER}})` }],
    noValue: NO_LEDGER,
    names: YES_NO,
  }),
  stat({
    title: 'The engine believes it',
    description: 'No: the ledger contradicts a checkpoint that it gave the engine before.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `min(sentinel_ledger_consistent{${ENGINE}})` }],
    noValue: 'no engine answers',
    names: YES_NO,
  }),
  stat({
    title: 'Last verified',
    description: 'Since the ledger last verified itself to the end. After twelve hours AuditLogNotVerified fires.',
    unit: 's',
    width: 4,
    decimals: 0,
    queries: [{ expr: `time() - max(sentinel_audit_last_verified_timestamp_seconds{${LEDGER}} > 0)` }],
    noValue: 'not yet since the start',
    steps: [
      [null, 'green'],
      [6.5 * 3600, 'yellow'],
      [12 * 3600, 'red'],
    ],
  }),
  stat({
    title: 'Entries',
    description: 'Length of the log.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `max(sentinel_audit_chain_length{${LEDGER}})` }],
    noValue: NO_LEDGER,
    steps: ONE_IS_WELL,
  }),
  stat({
    title: 'Size',
    description: 'Bytes of the log on disk, or in its tables.',
    unit: 'bytes',
    width: 4,
    queries: [{ expr: `max(sentinel_audit_storage_bytes{${LEDGER}})` }],
    noValue: NO_LEDGER,
  }),
  stat({
    title: 'Divergences',
    description: 'Batches that two computations disagreed on. Not 0: the machine of the ledger computes wrong answers.',
    unit: 'short',
    width: 4,
    queries: [{ expr: `sum(sentinel_audit_divergences_total{${LEDGER}})` }],
    noValue: NO_LEDGER,
    steps: NONE_IS_WELL,
  }),
];

const WRITING = [
  lines({
    title: 'Entries written',
    description: 'Per second.',
    unit: 'ops',
    width: 12,
    min: 0,
    queries: [
      {
        expr: `sum by (instance) (rate(sentinel_audit_entries_total{${LEDGER}}[$__rate_interval]))`,
        legend: '{{instance}}',
      },
    ],
    noValue: NO_LEDGER,
  }),
  lines({
    title: 'Duration of a group commit',
    description:
      'From hashing to the signed checkpoint, of the commits of an hour. Rising: look at the disk or the cluster.',
    unit: 's',
    width: 12,
    min: 0,
    queries: [0.5, 0.95, 0.99].map((q) => ({
      expr: quantile(q, `sentinel_audit_batch_duration_seconds{${LEDGER}}`, '', '1h'),
      legend: `${q * 100} %`,
    })),
    noValue: 'nothing was written within an hour',
  }),
  lines({
    title: 'Entries that wait',
    description:
      'In the ledger for a commit, in the engine for the ledger. Staying high: see AuditWriteStalled and OutboxLag.',
    unit: 'short',
    width: 12,
    min: 0,
    queries: [
      { expr: `sum by (instance) (sentinel_audit_pending_entries{${LEDGER}})`, legend: 'in ledger {{instance}}' },
      { expr: `sum(sentinel_outbox_pending{${ENGINE}})`, legend: 'in the engine' },
    ],
    noValue: NO_LEDGER,
  }),
  lines({
    title: 'Refused',
    description:
      'Per ten minutes, by reason. overloaded, disk_full: nothing was lost, senders retry. conflict: a sender reuses event ids.',
    unit: 'short',
    width: 12,
    min: 0,
    bars: true,
    queries: [
      { expr: `sum by (reason) (increase(sentinel_audit_refused_total{${LEDGER}}[10m]))`, legend: '{{reason}}' },
    ],
    noValue: NO_LEDGER,
  }),
];

const STORAGE = [
  lines({
    title: 'Size of the log',
    description: 'Grows with decisions; falls when something is pruned.',
    unit: 'bytes',
    width: 8,
    min: 0,
    queries: [{ expr: `max(sentinel_audit_storage_bytes{${LEDGER}})`, legend: 'log' }],
    noValue: NO_LEDGER,
  }),
  lines({
    title: 'Verified entries',
    description: 'Entries of the log when it last verified itself to the end, and now. The gap is what came since.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      { expr: `max(sentinel_audit_last_verified_entries{${LEDGER}})`, legend: 'verified' },
      { expr: `max(sentinel_audit_chain_length{${LEDGER}})`, legend: 'in the log' },
    ],
    noValue: NO_LEDGER,
  }),
  lines({
    title: 'Clock behind the log',
    description: 'By which the newest entry is ahead of the clock. Above a minute for five AuditClockBehind fires.',
    unit: 's',
    width: 8,
    min: 0,
    queries: [{ expr: `max by (instance) (sentinel_audit_received_ahead_seconds{${LEDGER}})`, legend: '{{instance}}' }],
    noValue: NO_LEDGER,
  }),
];

const READERS = [
  timeline({
    title: 'Readers that serve',
    description: 'No: without a checkpoint that it could verify, without its writer for too long, or at a forked log.',
    unit: 'short',
    width: 6,
    queries: [{ expr: `sentinel_audit_reader_serving{${LEDGER}}`, legend: '{{instance}}' }],
    noValue: NO_READER,
    names: YES_NO,
  }),
  lines({
    title: 'Readers: age of the newest checkpoint',
    description: 'Since a reader last saw its writer. Rising: look at the store.',
    unit: 's',
    width: 6,
    min: 0,
    queries: [{ expr: `sentinel_audit_checkpoint_age_seconds{${LEDGER}}`, legend: '{{instance}}' }],
    noValue: NO_READER,
  }),
  lines({
    title: 'Processor',
    description: 'Of one core, by process.',
    unit: 'percentunit',
    width: 6,
    min: 0,
    queries: [{ expr: `rate(process_cpu_seconds_total{${LEDGER}}[$__rate_interval])`, legend: '{{instance}}' }],
    noValue: NO_LEDGER,
  }),
  lines({
    title: 'Memory',
    description: 'Resident, by process.',
    unit: 'bytes',
    width: 6,
    min: 0,
    queries: [{ expr: `process_resident_memory_bytes{${LEDGER}}`, legend: '{{instance}}' }],
    noValue: NO_LEDGER,
  }),
];

export const LEDGER_STATUS = dashboard({
  uid: UIDS.ledger,
  title: 'SENTINEL / Audit Ledger Status',
  description: 'Whether the signed log is intact and keeps up: integrity, writing, size, readers.',
  from: 'now-24h',
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'Writing', panels: WRITING },
    { title: 'Storage and verification', panels: STORAGE },
    { title: 'Readers and processes', panels: READERS },
  ],
});
