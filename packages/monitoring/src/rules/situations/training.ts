import { dropSituations, healthyUplink, kindOf, uplinkSituations } from './monitors.js';
import { ENGINE, type Situation } from './situation.js';

const KIND = kindOf('Training', 9094);
const DROPPED = 'sentinel_training_library_dropped_total';

/** Of a node on which nothing is wrong, and jobs run. */
export const HEALTHY_TRAINING: Readonly<Record<string, string>> = {
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLICA_MISMATCH",outcome="counted"}`]: '2x180',
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLICA_MISMATCH",outcome="agreed"}`]: '0+1x180',
  [`sentinel_job_comparisons_total{${ENGINE},type="REPLAY_MISMATCH",outcome="no_majority"}`]: '0+1x180',
  [`${DROPPED}{${KIND.monitor}}`]: '7x180',
  ...healthyUplink(KIND),
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
    alert: 'CheckpointDamaged',
    what: 'a job loads a checkpoint that its manifest, of the first node, or the ledger does not know',
    series: {
      [`sentinel_training_anomalies_total{${KIND.monitor},type="CHECKPOINT_DIVERGENCE",severity="CRITICAL"}`]:
        '0x99 1x100',
      [`sentinel_job_comparisons_total{${ENGINE},type="CHECKPOINT_DIVERGENCE",outcome="not_as_saved"}`]: '0x99 1x100',
    },
    quietAt: [99, 165],
    firesAt: 120,
    labels: {},
    severity: 'high',
    summary: 'Checkpoints were not what was saved, about 2 time(s) within an hour.',
  },
  {
    alert: 'CheckpointDamaged',
    what: 'no analyser is there to say it, but the ledger knows another digest',
    series: {
      [`sentinel_job_comparisons_total{${ENGINE},type="CHECKPOINT_DIVERGENCE",outcome="not_as_saved"}`]: '0x99 1x100',
    },
    quietAt: [99, 165],
    firesAt: 120,
    labels: {},
    severity: 'high',
    summary: 'Checkpoints were not what was saved, about 1 time(s) within an hour.',
  },
  ...uplinkSituations(
    KIND,
    'On node rack-7 a rank was refused, or the engine refused what the training monitor found.',
  ),
  ...dropSituations(KIND, DROPPED, 'Jobs on node rack-7 send more than the training monitor analyses.'),
];
