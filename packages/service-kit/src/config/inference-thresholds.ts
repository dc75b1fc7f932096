import { renderTree } from './default-file.js';
import { choice, flag, integer, list, real } from './formats.js';
import { group, leaf, type Values } from './schema.js';
import { CONTRACT } from './sections/shared.js';
import { type Given, loadTree } from './tree-file.js';

/** Limits of the inference monitor's detectors: keys, ranges, units, defaults and where those come from. */

const SIMULATION = 'simulation, docs/inference-monitor.md';
const ADVISORY = 'Advisory:';

const sigma = (value: number, doc: string, source: string = CONTRACT) =>
  leaf({ format: real(0.1, 1e6), default: value, unit: 'standard deviations', doc, source });

function severities(unit: string, [warning, high, critical]: readonly [number, number, number], source = CONTRACT) {
  const step = (value: number, name: string) =>
    leaf({ format: real(0, 1e6), default: value, unit, doc: `From here on an event is ${name}.`, source });
  return group('How grave an event is; what passes its limit is at least INFO.', {
    warning: step(warning, 'WARNING'),
    high: step(high, 'HIGH'),
    critical: step(critical, 'CRITICAL'),
  });
}

const TREE = group('Limits of the inference monitor.', {
  block_ewma: group(
    'Moving averages of block means: entropy, log probability of the most likely token, largest logit, length of the answer, mean of each tensor, and how far their distributions are from the reference.',
    {
      block_s: leaf({
        format: integer(5, 86_400),
        default: 900,
        unit: 's',
        doc: 'Length of a block, the same in all replicas: blocks begin together.',
        source: SIMULATION,
      }),
      min_requests: leaf({
        format: integer(10, 1_000_000),
        default: 200,
        unit: 'sampled requests',
        doc: 'A block with fewer is not judged: raise inference_monitor.sampling_rate where there is little traffic.',
        source: SIMULATION,
      }),
      lambda: leaf({ format: real(0.01, 1), default: 0.2, doc: 'Weight of the newest block.', source: SIMULATION }),
      limit: sigma(
        4.5,
        'Distance of the average from the reference that is a drift; widened for the error of a reference of m blocks.',
        SIMULATION,
      ),
      m: leaf({
        format: integer(20, 1_000),
        default: 192,
        unit: 'blocks',
        doc: 'Blocks from which a replica learns its own level before it is judged, and after which, with no alarm in them, it learns anew.',
        source: SIMULATION,
      }),
      severity: severities('times the limit', [1, 1.5, 2], SIMULATION),
    },
  ),
  logit_ewma: group(
    `Moving average of the largest logit of single requests. ${ADVISORY} INFO events, which accuse no device.`,
    {
      max_drift: leaf({
        format: real(0, 1e6),
        default: 0.15,
        unit: 'fraction of the level',
        doc: 'A smaller drift is none.',
        source: CONTRACT,
      }),
      sigma_threshold: sigma(4, 'Distance from the level that is a drift; both must be passed.'),
      warmup_samples: leaf({
        format: integer(1, 10_000_000),
        default: 1000,
        unit: 'sampled requests',
        doc: 'From which level and scale are learnt.',
        source: CONTRACT,
      }),
      alpha: leaf({ format: real(0.0001, 1), default: 0.01, doc: 'Weight of the newest request.', source: CONTRACT }),
      severity: severities('fraction of the level; written into the log', [0.1, 0.2, 0.35]),
    },
  ),
  kl_divergence: group(
    'Distance of a block from the reference distribution, on numbers of requests, not on vocabularies.',
    {
      threshold: leaf({
        format: real(0, 1e6),
        default: 0.5,
        unit: 'nats',
        doc: `${ADVISORY} a block that is farther away is an INFO event at least, whatever the blocks before were like.`,
        source: CONTRACT,
      }),
      symmetric: leaf({
        format: flag,
        default: true,
        doc: 'Mean of both directions (Jeffreys), in place of the block against the reference.',
        source: CONTRACT,
      }),
      num_bins: leaf({
        format: integer(2, 4096),
        default: 256,
        unit: 'bins',
        doc: 'Bins that are laid out first; neighbours are merged until there are max_bins.',
        source: CONTRACT,
      }),
      max_bins: leaf({
        format: integer(2, 32),
        default: 16,
        unit: 'bins',
        doc: 'Bins that are compared, about equally full in the reference.',
        source: SIMULATION,
      }),
      limit: sigma(
        4.8,
        'Distance of the moving average (block_ewma.lambda, m) of the distances of blocks from the reference that is a drift: upwards, in standard deviations of the average.',
        SIMULATION,
      ),
      binning_strategy: leaf({
        format: choice('uniform', 'quantile'),
        default: 'quantile',
        doc: 'How the first bins are laid out: of equal width, or equally full.',
        source: CONTRACT,
      }),
      min_reference_samples: leaf({
        format: integer(100, 10_000_000),
        default: 10_000,
        unit: 'sampled requests',
        doc: 'From which the bins are laid out, 20,000 of them at most; the reference are the block_ewma.m blocks after them.',
        source: CONTRACT,
      }),
      reference_update_interval_s: leaf({
        format: integer(1, 604_800),
        default: 3600,
        unit: 's',
        doc: 'Least time between two references; each takes block_ewma.m blocks without an alarm.',
        source: CONTRACT,
      }),
      severity: severities('nats, bias subtracted; a drift is at least WARNING', [0.3, 0.8, 1.5]),
    },
  ),
  entropy: group('Mean entropy that collapses or explodes.', {
    window_size: leaf({
      format: integer(10, 1_000_000),
      default: 1000,
      unit: 'sampled requests',
      doc: 'Blocks are put together until they have so many.',
      source: CONTRACT,
    }),
    max_deviation: leaf({
      format: real(0, 1e6),
      default: 2,
      unit: 'nats',
      doc: 'Distance of the mean from the reference that is a collapse or an explosion.',
      source: CONTRACT,
    }),
    sigma_threshold: sigma(4, 'The distance must be as large in standard deviations of such means as well.'),
    min_entropy: leaf({
      format: real(0, 100),
      default: 0.5,
      unit: 'nats',
      doc: 'A mean that falls below it is a collapse, where the reference is above it.',
      source: CONTRACT,
    }),
    max_entropy: leaf({
      format: real(0, 100),
      default: 12,
      unit: 'nats',
      doc: 'A mean that rises above it is an explosion, where the reference is below it.',
      source: CONTRACT,
    }),
    severity: severities('standard deviations', [3, 5, 7]),
  }),
  spectral: group('A period in what is left of the entropy of successive requests (Fisher 1929).', {
    enabled: leaf({ format: flag, default: false, doc: 'Looks for it.', source: CONTRACT }),
    fft_window_size: leaf({
      format: integer(64, 65_536),
      default: 1024,
      unit: 'sampled requests',
      doc: 'Requests in a window; the power of two that is not larger.',
      source: CONTRACT,
    }),
    max_spectral_concentration: leaf({
      format: real(0, 1),
      default: 0.3,
      unit: 'fraction of the power',
      doc: 'Least share of one frequency that is a period. The limit is larger in short windows.',
      source: CONTRACT,
    }),
    monitor_freq_low: leaf({
      format: real(0, 0.5),
      default: 0.01,
      unit: 'cycles per request',
      doc: 'Lowest frequency.',
      source: CONTRACT,
    }),
    monitor_freq_high: leaf({
      format: real(0, 0.5),
      default: 0.5,
      unit: 'cycles per request',
      doc: 'Highest frequency.',
      source: CONTRACT,
    }),
  }),
  invariants: group('What must hold in every sampled request.', {
    softmax_sum_tolerance: leaf({
      format: real(0, 1),
      default: 1e-4,
      unit: 'probability',
      doc: 'What probabilities may sum up to more than 1, and by how much a logarithm of one may exceed 0.',
      source: CONTRACT,
    }),
    max_logit_magnitude: leaf({
      format: real(0, 1e30),
      default: 100,
      unit: 'logit',
      doc: 'Largest magnitude of a logit. A model whose first 200 requests mostly exceed it is not judged by it.',
      source: CONTRACT,
    }),
    non_negative_probs: leaf({
      format: flag,
      default: true,
      doc: 'No probability is negative or above 1.',
      source: CONTRACT,
    }),
    no_nan_inf: leaf({
      format: flag,
      default: true,
      doc: 'No number is NaN or infinite. Tensors whose first 200 requests have such numbers are not judged by it.',
      source: CONTRACT,
    }),
  }),
  output_range: group('Largest magnitude in each output tensor, on a logarithmic scale.', {
    window_size: leaf({
      format: integer(10, 10_000),
      default: 200,
      unit: 'sampled requests',
      doc: 'Window of median and scale (median absolute deviation).',
      source: SIMULATION,
    }),
    sigma_threshold: sigma(
      6,
      'Least distance from the median. The limit is larger where the magnitudes of this output have heavier tails.',
      SIMULATION,
    ),
    mask_values: leaf({
      format: list(real(-Number.MAX_VALUE, Number.MAX_VALUE)),
      default: [],
      doc: 'Values that outputs of sound models hold by design, such as -1e9 of masked logits. Range and mean of an output whose least or largest value is one of them, up to 0.4 %, are not judged in that request.',
      source: 'docs/inference-monitor.md',
    }),
  }),
  false_alarms: group('Of charts of single requests, and of windows of the spectrum.', {
    per_million: leaf({
      format: real(0.001, 10_000),
      default: 0.05,
      unit: 'alarms per million requests or windows',
      doc: 'Rate for which limits are set. 21,600 sampled requests are a day at one in four seconds.',
      source: SIMULATION,
    }),
  }),
});

export type InferenceThresholds = Values<(typeof TREE)['children']>;

/** What stands where the file of thresholds says nothing. */
export type GivenInferenceThresholds = Given<(typeof TREE)['children']>;

const HEADER = `# Limits of the inference monitor (inference_monitor.thresholds_file). SIGHUP reads this file again.
# Made from packages/service-kit/src/config/inference-thresholds.ts by
# \`node packages/service-kit/dist/config/write-default-file.js\`; a test fails while both differ.
# "Advisory" keys change what is told, and accuse no device. docs/inference-monitor.md says what each detector can see.
`;

export function renderInferenceThresholds(): string {
  return renderTree(HEADER, TREE);
}

/**
 * Reads the file of thresholds strictly.
 * @throws ConfigError listing everything that is wrong, with file, line and key
 */
export function loadInferenceThresholds(
  file: string,
  given: GivenInferenceThresholds = {},
  cwd: string = process.cwd(),
): InferenceThresholds {
  return loadTree(file, TREE, given, cwd);
}
