import { renderTree } from './default-file.js';
import { flag, integer, real } from './formats.js';
import { group, leaf, type Values } from './schema.js';
import { CONTRACT } from './sections/shared.js';
import { type Given, loadTree } from './tree-file.js';

/** Limits of the training monitor's detectors: keys, ranges, units, defaults and where those come from. */

const SIMULATION = 'simulation, docs/training-monitor.md';
const ADVISORY = 'Advisory:';

const sigma = (value: number, doc: string, source: string = CONTRACT) =>
  leaf({ format: real(0.1, 1e6), default: value, unit: 'standard deviations', doc, source });

const ratio = (value: number, doc: string) =>
  leaf({ format: real(0, 1), default: value, unit: 'relative difference', doc, source: CONTRACT });

function severities(unit: string, [warning, high, critical]: readonly [number, number, number]) {
  const step = (value: number, name: string) =>
    leaf({ format: real(0, 1e6), default: value, unit, doc: `From here on an event is ${name}.`, source: CONTRACT });
  return group('How grave an event is; what passes its limit is at least INFO.', {
    warning: step(warning, 'WARNING'),
    high: step(high, 'HIGH'),
    critical: step(critical, 'CRITICAL'),
  });
}

const TREE = group('Limits of the training monitor.', {
  gradient_norm: group('Norms of gradients, on a logarithmic scale.', {
    window_size: leaf({
      format: integer(10, 10_000),
      default: 100,
      unit: 'measured steps',
      doc: 'Window of median and scale (median absolute deviation).',
      source: CONTRACT,
    }),
    sigma_threshold: sigma(
      5,
      'Least distance from the median that is a spike. The limit is larger where the norms of this job have heavier tails.',
    ),
    absolute_max: leaf({
      format: real(0, 1e30),
      default: 100,
      unit: 'L2 norm',
      doc: `${ADVISORY} above it a norm is an INFO event that accuses no device; healthy models differ in scale.`,
      source: CONTRACT,
    }),
    absolute_min: leaf({
      format: real(0, 1e30),
      default: 1e-7,
      unit: 'L2 norm',
      doc: `${ADVISORY} the same below it.`,
      source: CONTRACT,
    }),
    per_layer: leaf({
      format: flag,
      default: true,
      doc: 'Charts the layer that is farthest from its median as well.',
      source: CONTRACT,
    }),
    severity: severities('standard deviations', [3, 5, 8]),
  }),
  loss: group('The loss, upwards.', {
    window_size: leaf({
      format: integer(10, 10_000),
      default: 50,
      unit: 'measured steps',
      doc: 'Window of median and scale.',
      source: CONTRACT,
    }),
    spike_threshold: sigma(
      3,
      'Least distance from the median that is a spike. The limit is larger where the losses of this job have heavier tails.',
    ),
    lr_aware: leaf({
      format: flag,
      default: true,
      doc: 'A jump of the learning rate begins a new window; a slow rise widens the limit in proportion.',
      source: CONTRACT,
    }),
    absolute_max: leaf({
      format: real(0, 1e30),
      default: 20,
      unit: 'loss',
      doc: `${ADVISORY} above it a loss is an INFO event that accuses no device.`,
      source: CONTRACT,
    }),
    plateau_detection: group('A loss that does not improve. It says nothing of hardware.', {
      enabled: leaf({ format: flag, default: true, doc: 'Makes INFO events of it.', source: CONTRACT }),
      patience_steps: leaf({
        format: integer(1, 1_000_000_000),
        default: 5000,
        unit: 'steps',
        doc: 'Steps without an improvement.',
        source: CONTRACT,
      }),
      min_improvement: leaf({
        format: real(0, 1),
        default: 1e-4,
        unit: 'fraction of the best loss',
        doc: 'What is smaller is none.',
        source: CONTRACT,
      }),
    }),
    severity: severities('standard deviations', [2, 5, 10]),
  }),
  cross_rank: group('Ranks of one job against each other.', {
    max_divergence: ratio(
      0.05,
      'Largest relative difference of the reduced gradient norm between ranks that hold the same parameters.',
    ),
    comparison_interval_steps: leaf({
      format: integer(1, 1_000_000),
      default: 10,
      unit: 'steps',
      doc: `${ADVISORY} the library takes training_monitor.cross_rank.comparison_interval_steps.`,
      source: CONTRACT,
    }),
    min_consensus_ranks: leaf({
      format: integer(0, 16_384),
      default: 0,
      unit: 'ranks',
      doc: 'Ranks that must agree before another is named for a different bit pattern; 0 = more than half of those that answered.',
      source: CONTRACT,
    }),
    max_loss_divergence: ratio(
      0.01,
      `${ADVISORY} ranks see different data, so their losses differ; the rank-effect chart judges them.`,
    ),
    weight_checksum: group('Checksums of parameters and optimizer state.', {
      enabled: leaf({ format: flag, default: true, doc: 'Judges them.', source: CONTRACT }),
      interval_steps: leaf({
        format: integer(1, 1_000_000),
        default: 1000,
        unit: 'steps',
        doc: `${ADVISORY} the library takes training_monitor.cross_rank.comparison_interval_steps.`,
        source: CONTRACT,
      }),
    }),
    rank_effect: group('What a rank adds to the norm and to the loss of the others, as a CUSUM of block means.', {
      block_samples: leaf({
        format: integer(5, 10_000),
        default: 50,
        unit: 'comparisons',
        doc: 'Comparisons in a block.',
        source: SIMULATION,
      }),
      reference_blocks: leaf({
        format: integer(20, 1_000),
        default: 128,
        unit: 'blocks',
        doc: 'Blocks from which a rank learns its own level before it is judged.',
        source: SIMULATION,
      }),
      allowance: sigma(0.5, 'Shift of a block mean that is not counted.', SIMULATION),
      limit: sigma(11, 'Sum of the shifts at which the rank is named.', SIMULATION),
    }),
    severity: severities('relative difference', [0.03, 0.1, 0.25]),
  }),
  checkpoint: group('Checkpoints.', {
    max_hash_time_s: leaf({
      format: real(1, 86_400),
      default: 300,
      unit: 's',
      doc: `${ADVISORY} the library hashes in a thread of its own and waits for nobody.`,
      source: CONTRACT,
    }),
    max_size_change_fraction: leaf({
      format: real(0, 1),
      default: 0.01,
      unit: 'fraction',
      doc: 'Larger changes of size from one checkpoint of a run to the next are INFO events.',
      source: CONTRACT,
    }),
    cross_rank_hash_check: leaf({
      format: flag,
      default: true,
      doc: 'Compares what ranks that hold the same parameters save in one step.',
      source: CONTRACT,
    }),
  }),
  invariants: group('What must always hold.', {
    no_nan_weights: leaf({ format: flag, default: true, doc: 'No parameter is NaN.', source: CONTRACT }),
    no_inf_weights: leaf({
      format: flag,
      default: true,
      doc: 'No parameter is infinite. The library counts both together: either key set reports both.',
      source: CONTRACT,
    }),
    no_nan_gradients: leaf({
      format: flag,
      default: true,
      doc: 'No gradient is NaN or infinite. Mixed precision has such steps while it looks for its scale: below max_nonfinite_fraction they are INFO.',
      source: CONTRACT,
    }),
    max_nonfinite_fraction: leaf({
      format: real(0, 1),
      default: 0.05,
      unit: 'fraction of the last 100 measured steps',
      doc: 'Steps with gradients that are not finite, at most.',
      source: SIMULATION,
    }),
    max_weight_magnitude: leaf({
      format: real(0, 1e30),
      default: 1000,
      unit: 'parameter',
      doc: 'Largest parameter. A rank alone is named; all ranks of a job accuse no device.',
      source: CONTRACT,
    }),
    max_weight_update: leaf({
      format: real(0, 1e30),
      default: 10,
      unit: 'parameter',
      doc: 'Largest change of a parameter in one step; the same.',
      source: CONTRACT,
    }),
    max_learning_rate: leaf({
      format: real(0, 1e30),
      default: 1,
      unit: 'learning rate',
      doc: `${ADVISORY} above it an INFO event; it is a setting of the job.`,
      source: CONTRACT,
    }),
  }),
  product_checksum: group('Sampled matrix products against their checksums.', {
    min_samples: leaf({
      format: integer(50, 100_000),
      default: 200,
      unit: 'products of one operation, shape and type',
      doc: 'Products of all ranks that make the reference before one is judged.',
      source: SIMULATION,
    }),
    sigma_threshold: sigma(
      5,
      'Least distance from the median of the logarithm. The limit is larger where the errors have heavier tails.',
      SIMULATION,
    ),
  }),
  false_alarms: group('Of every chart for single values.', {
    per_million: leaf({
      format: real(0.001, 10_000),
      default: 0.05,
      unit: 'alarms per million samples',
      doc: 'Rate for which limits are extrapolated from the tail that the job shows. 21,600 samples are a GPU-day at one in four seconds.',
      source: SIMULATION,
    }),
  }),
});

export type TrainingThresholds = Values<(typeof TREE)['children']>;

/** What stands where the file of thresholds says nothing. */
export type GivenTrainingThresholds = Given<(typeof TREE)['children']>;

const HEADER = `# Limits of the training monitor (training_monitor.thresholds_file). SIGHUP reads this file again.
# Made from packages/service-kit/src/config/training-thresholds.ts by
# \`node packages/service-kit/dist/config/write-default-file.js\`; a test fails while both differ.
# "Advisory" keys change what is told, and accuse no device. docs/training-monitor.md says what each detector can see.
`;

export function renderTrainingThresholds(): string {
  return renderTree(HEADER, TREE);
}

/**
 * Reads the file of thresholds strictly.
 * @throws ConfigError listing everything that is wrong, with file, line and key
 */
export function loadTrainingThresholds(
  file: string,
  given: GivenTrainingThresholds = {},
  cwd: string = process.cwd(),
): TrainingThresholds {
  return loadTree(file, TREE, given, cwd);
}
