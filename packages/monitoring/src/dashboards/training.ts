import { dashboard, UIDS } from './dashboard.js';
import { uplinkPanels } from './monitors.js';
import { lines, stat } from './panels.js';
import { ENGINE, NO_ENGINE, NONE_IS_WELL } from './terms.js';

const MONITOR = 'job="sentinel-training-monitor"';
const NO_MONITOR = 'no training monitor is scraped';
const UPLINK = uplinkPanels({ job: MONITOR, prefix: 'sentinel_training', none: NO_MONITOR, alerts: 'Training' });

const NOW = [
  stat({
    title: 'Lost comparisons',
    description:
      'Within an hour: devices that most others of a job outvoted about bits that had to be the same. JobComparisonLost fires.',
    unit: 'short',
    width: 6,
    decimals: 0,
    queries: [{ expr: `sum(increase(sentinel_job_comparisons_total{${ENGINE},outcome=~"counted|shared"}[1h]))` }],
    noValue: NO_ENGINE,
    steps: NONE_IS_WELL,
  }),
  stat({
    title: 'Ranks',
    description: 'Ranks of jobs that send what they measure. 0 while a job runs: the library is not attached.',
    unit: 'short',
    width: 6,
    queries: [{ expr: `sum(sentinel_training_ranks{${MONITOR}})` }],
    noValue: NO_MONITOR,
  }),
  UPLINK.away,
  stat({
    title: 'Cost of the library',
    description:
      'Of the time of the steps that it measured. It stretches its intervals until overhead_budget_pct holds.',
    unit: 'percentunit',
    width: 6,
    decimals: 3,
    queries: [
      {
        expr: `sum(increase(sentinel_training_overhead_seconds_total{${MONITOR}}[1h])) / sum(increase(sentinel_training_step_seconds_total{${MONITOR}}[1h])) >= 0`,
      },
    ],
    noValue: 'no job ran within an hour',
  }),
];

const SEEN = [
  lines({
    title: 'Comparisons in jobs',
    description:
      'Per hour, by what the vote said. counted and shared accuse; no_majority that goes on: the job is not deterministic.',
    unit: 'short',
    width: 12,
    min: 0,
    bars: true,
    queries: [
      {
        expr: `sum by (outcome) (increase(sentinel_job_comparisons_total{${ENGINE}}[1h]))`,
        legend: '{{outcome}}',
      },
    ],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Events of monitors',
    description: 'Per hour, of monitors of training and of inference, as the engine committed them.',
    unit: 'short',
    width: 12,
    min: 0,
    bars: true,
    queries: [{ expr: `sum by (type) (increase(sentinel_anomaly_events_total{${ENGINE}}[1h]))`, legend: '{{type}}' }],
    noValue: 'no monitor told of anything',
  }),
  UPLINK.found,
  UPLINK.notSent,
];

const WAY = [
  lines({
    title: 'Records',
    description: 'Per second, by kind, as analysed. Standing still while a job runs: its log says why.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      {
        expr: `sum by (kind) (rate(sentinel_training_records_total{${MONITOR}}[$__rate_interval]))`,
        legend: '{{kind}}',
      },
    ],
    noValue: NO_MONITOR,
  }),
  lines({
    title: 'Dropped and refused',
    description:
      'Per ten minutes, of all nodes. library: the analyser was away or slow. queue: it was slow. refused: releases differ. given up: the engine refused it for good.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      { expr: `sum(increase(sentinel_training_library_dropped_total{${MONITOR}}[10m]))`, legend: 'library' },
      { expr: `sum(clamp_min(delta(sentinel_training_queue_dropped{${MONITOR}}[10m]), 0))`, legend: 'queue' },
      { expr: `sum(increase(sentinel_training_refused_total{${MONITOR}}[10m]))`, legend: 'refused' },
      { expr: `sum(increase(sentinel_training_records_given_up_total{${MONITOR}}[10m]))`, legend: 'given up' },
    ],
    noValue: NO_MONITOR,
  }),
  UPLINK.waiting,
  lines({
    title: 'Rounds that were not whole',
    description:
      'Since the start of each monitor, of all nodes. late: a rank lags by more than 5 s. crowded: judged early to make room. disagreeing: a rank garbles what others told it.',
    unit: 'short',
    width: 24,
    min: 0,
    queries: [
      { expr: `sum(sentinel_training_late_copies{${MONITOR}})`, legend: 'late' },
      { expr: `sum(sentinel_training_crowded_rounds{${MONITOR}})`, legend: 'crowded' },
      { expr: `sum(sentinel_training_disagreeing_copies{${MONITOR}})`, legend: 'disagreeing' },
    ],
    noValue: NO_MONITOR,
  }),
];

export const TRAINING = dashboard({
  uid: UIDS.training,
  title: 'SENTINEL / Training Monitors',
  description: 'What jobs of training show of their devices, and whether it reaches the engine.',
  from: 'now-24h',
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'What was seen', panels: SEEN },
    { title: 'On the way', panels: WAY },
  ],
});
