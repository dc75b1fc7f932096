import { type Format, list, real, refuse } from '../formats.js';
import { group, leaf } from '../schema.js';

const MODEL = 'evidence model';
const STUDIES = 'published field studies of silent data corruption; orders of magnitude';

const MAX_PROBABILITIES = 12;

/** One to twelve probabilities: each costs every unit that ever failed eight bytes. */
function probabilities(): Format<readonly number[]> {
  const any = list(real(1e-7, 0.9999));
  const expects = `${any.expects}, 1 to ${MAX_PROBABILITIES} of them`;
  const bounded = (values: readonly number[]): readonly number[] =>
    values.length >= 1 && values.length <= MAX_PROBABILITIES ? values : refuse(expects, values);
  return { expects, check: (value) => bounded(any.check(value)), parse: (text) => bounded(any.parse(text)) };
}

/** Prior beliefs from which the odds of a defect are computed. All may change while the engine runs. */
export const attribution = group(
  'What is believed before any evidence: how often defects begin, and how they fail. A wrong result moves the odds by many orders of magnitude more than these settings do.',
  {
    unit_defects_per_gpu_year: leaf({
      format: real(1e-9, 1),
      default: 1e-3,
      unit: 'defects per device and year',
      doc: 'Rate at which single units (one family on one SM) begin to compute wrongly, over all units of a device.',
      source: STUDIES,
      reloadable: true,
    }),
    gpu_defects_per_gpu_year: leaf({
      format: real(1e-9, 1),
      default: 3e-4,
      unit: 'defects per device and year',
      doc: 'Rate at which a device as a whole begins to compute wrongly, on one SM after another.',
      source: STUDIES,
      reloadable: true,
    }),
    node_faults_per_node_year: leaf({
      format: real(1e-9, 1),
      default: 2e-3,
      unit: 'faults per node and year',
      doc: 'Rate of faults of a node (power, memory) that show as wrong results of several of its devices.',
      source: MODEL,
      reloadable: true,
    }),
    cohort_faults_per_year: leaf({
      format: real(1e-9, 100),
      default: 0.1,
      unit: 'faults per cohort and year',
      doc: 'Rate of faults of software that a cohort shares. It explains; gate 5 decides.',
      source: MODEL,
      reloadable: true,
    }),
    healthy_failure_rate: leaf({
      format: real(1e-15, 1e-6),
      default: 1e-9,
      unit: 'wrong results per execution',
      doc: 'Rate of passing faults of healthy devices, until it is learned from their cohort.',
      source: MODEL,
      reloadable: true,
    }),
    job_healthy_rate: leaf({
      format: real(1e-12, 1e-3),
      default: 1e-6,
      unit: 'lost comparisons per comparison',
      doc: 'Rate at which a healthy device loses a comparison in a job (replicas, replayed micro-batches, checkpoints) by a passing fault. A comparison covers far more work than a probe does.',
      source: `${MODEL}; monitors of training have to lose none in 1e5 healthy steps, which leaves 3e-5 open at 95 %`,
      reloadable: true,
    }),
    quarantine_odds: leaf({
      format: real(19, 1e12),
      default: 19,
      unit: 'odds',
      doc: 'A quarantine needs these odds of a defect at least, whatever the threshold of the score.',
      source: MODEL,
      reloadable: true,
    }),
    other_bin_weight: leaf({
      format: real(0, 1),
      default: 0.1,
      unit: 'fraction of a clean execution',
      doc: 'What a clean execution counts for that was taken at another temperature or power than the failures.',
      source: MODEL,
      reloadable: true,
    }),
    failure_probabilities: leaf({
      format: probabilities(),
      default: [0.999, 0.1, 0.01, 1e-3, 1e-4, 1e-5],
      unit: 'wrong results per execution',
      doc: 'What a defect may fail with, each as likely as the others.',
      source: MODEL,
      reloadable: true,
    }),
  },
);
