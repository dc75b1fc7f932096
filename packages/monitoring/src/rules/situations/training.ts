import { ENGINE, type Situation } from './situation.js';

const MONITOR = 'job="sentinel-training-monitor",instance="10.0.0.7:9094"';
const OTHER = 'job="sentinel-training-monitor",instance="10.0.0.8:9094"';
const INFO = {
  [`sentinel_training_info{${MONITOR},node="rack-7",version="1"}`]: '1x200',
  [`sentinel_training_info{${OTHER},node="rack-8",version="1"}`]: '1x200',
};

/** Of a node on which nothing is wrong, and jobs run. */
export const HEALTHY_TRAINING: Readonly<Record<string, string>> = {
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLICA_MISMATCH",outcome="counted"}`]: '2x180',
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLICA_MISMATCH",outcome="agreed"}`]: '0+1x180',
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLAY_MISMATCH",outcome="no_majority"}`]: '0+1x180',
  [`sentinel_training_grpc_stream_active{${MONITOR}}`]: '1x180',
  [`sentinel_training_not_sent_total{${MONITOR},reason="spool_full"}`]: '3x180',
  [`sentinel_training_not_sent_total{${MONITOR},reason="repeated"}`]: '0+9x180',
  [`sentinel_training_library_dropped_total{${MONITOR}}`]: '7x180',
  [`sentinel_training_queue_dropped{${MONITOR}}`]: '5x90 0x90',
  [`sentinel_training_refused_total{${MONITOR}}`]: '1x180',
  [`sentinel_training_records_given_up_total{${MONITOR}}`]: '1x180',
  ...INFO,
};

/** Of training.rules.yaml: what monitors of training see, and whether they can tell it. */
export const TRAINING_SITUATIONS: readonly Situation[] = [
  {
    alert: 'JobComparisonLost',
    what: 'a device is outvoted once; what the others agree on before and after says nothing',
    series: {
      [`sentinel_job_comparisons_total{${ENGINE},type="REPLAY_MISMATCH",outcome="counted"}`]: '0x99 1x100',
      [`sentinel_job_comparisons_total{${ENGINE},type="REPLAY_MISMATCH",outcome="agreed"}`]: '0+1x200',
    },
    quietAt: [99, 165],
    firesAt: 120,
    labels: { type: 'REPLAY_MISMATCH' },
    severity: 'high',
    summary: 'Devices lost comparisons in jobs (REPLAY_MISMATCH), about 1 time(s) within an hour.',
  },
  {
    alert: 'JobComparisonLost',
    what: 'devices that answered together are outvoted',
    series: { [`sentinel_job_comparisons_total{${ENGINE},type="REPLICA_MISMATCH",outcome="shared"}`]: '0x99 1x100' },
    quietAt: [99, 165],
    firesAt: 120,
    labels: { type: 'REPLICA_MISMATCH' },
    severity: 'high',
    summary: 'Devices lost comparisons in jobs (REPLICA_MISMATCH), about 1 time(s) within an hour.',
  },
  {
    alert: 'TrainingMonitorDisconnected',
    what: 'what one node found waits; a shorter absence before was nothing',
    series: {
      [`sentinel_training_grpc_stream_active{${MONITOR}}`]: '1x9 0x2 1x18 0x100',
      [`sentinel_training_grpc_stream_active{${OTHER}}`]: '1x200',
      ...INFO,
    },
    quietAt: [11, 14, 33],
    firesAt: 40,
    labels: { node: 'rack-7' },
    severity: 'high',
    summary: 'The training monitor of node rack-7 does not reach the engine.',
  },
  {
    alert: 'TrainingAnomaliesLost',
    what: 'the spool is full; what is left out for other reasons is not lost',
    series: {
      [`sentinel_training_not_sent_total{${MONITOR},reason="spool_full"}`]: '0x49 1x150',
      [`sentinel_training_not_sent_total{${MONITOR},reason="repeated"}`]: '0+5x200',
      [`sentinel_training_not_sent_total{${OTHER},reason="spool_full"}`]: '0x200',
      ...INFO,
    },
    quietAt: [49, 65],
    firesAt: 55,
    labels: { node: 'rack-7' },
    severity: 'high',
    summary:
      'The training monitor of node rack-7 dropped about 1 finding(s) within ten minutes, because its spool is full.',
  },
  {
    alert: 'TrainingRecordsDropped',
    what: 'the library drops on and on; what it dropped while the analyser was away for a moment is nothing',
    series: {
      [`sentinel_training_library_dropped_total{${MONITOR}}`]: '0x19 50x40 50+10x100',
      [`sentinel_training_queue_dropped{${MONITOR}}`]: '0x200',
      ...INFO,
    },
    quietAt: [25, 29, 35, 65],
    firesAt: 75,
    labels: { node: 'rack-7' },
    severity: 'warning',
    summary: 'Jobs on node rack-7 send more than the training monitor analyses.',
  },
  {
    alert: 'TrainingRecordsDropped',
    what: 'the queue of the analyser is full; its count begins anew when it is restarted',
    series: {
      [`sentinel_training_library_dropped_total{${MONITOR}}`]: '0x200',
      [`sentinel_training_queue_dropped{${MONITOR}}`]: '900x39 0x20 0+10x100',
      ...INFO,
    },
    quietAt: [39, 45, 55, 65],
    firesAt: 75,
    labels: { node: 'rack-7' },
    severity: 'warning',
    summary: 'Jobs on node rack-7 send more than the training monitor analyses.',
  },
  {
    alert: 'TrainingRecordsRefused',
    what: 'a rank with a library of another release',
    series: {
      [`sentinel_training_refused_total{${MONITOR}}`]: '0x49 1x150',
      [`sentinel_training_records_given_up_total{${MONITOR}}`]: '0x200',
      ...INFO,
    },
    quietAt: [49, 65],
    firesAt: 55,
    labels: { node: 'rack-7' },
    severity: 'warning',
    summary: 'On node rack-7 a rank was refused, or the engine refused what the training monitor found.',
  },
  {
    alert: 'TrainingRecordsRefused',
    what: 'the engine refuses what is of a test build',
    series: {
      [`sentinel_training_refused_total{${MONITOR}}`]: '0x200',
      [`sentinel_training_records_given_up_total{${MONITOR}}`]: '0x49 1x150',
      ...INFO,
    },
    quietAt: [49, 65],
    firesAt: 55,
    labels: { node: 'rack-7' },
    severity: 'warning',
    summary: 'On node rack-7 a rank was refused, or the engine refused what the training monitor found.',
  },
];
