import { choice, flag, integer, list, mapping, real, text } from '../formats.js';
import { endpoint, listenAddress, requiredPath, webUrl } from '../places.js';
import { group, inert, leaf, secret, section } from '../schema.js';
import {
  CONTRACT,
  checkPlaintext,
  checkTlsFiles,
  clientTls,
  ESTIMATE,
  MIN_KEY_LENGTH,
  metricsPort,
  secretText,
} from './shared.js';

/** Devices by rank or worker number. */
export const rankDevices = mapping(text({ expects: 'a device id', pattern: /^[A-Za-z0-9-]{1,80}$/ }));

export const inferenceMonitor = section(
  'The monitor beside an inference server.',
  inert({
    enabled: leaf({ format: flag, default: true, doc: 'Samples requests.', source: CONTRACT }),
    correlation_engine_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50051',
      doc: 'Where the correlation engine listens, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: clientTls('inference-monitor'),
    listen_address: leaf({
      format: listenAddress,
      default: '127.0.0.1:8000',
      doc: 'Where the sidecar takes requests in place of the inference server.',
      source: ESTIMATE,
    }),
    upstream_url: leaf({
      format: webUrl({ allowEmpty: true }),
      default: '',
      doc: 'The inference server; "" = the usual address of framework on this host.',
      source: ESTIMATE,
    }),
    framework: leaf({
      format: choice('vllm', 'trtllm', 'triton', 'generic'),
      default: 'generic',
      doc: 'Which inference server this is.',
      source: CONTRACT,
    }),
    thresholds_file: leaf({
      format: requiredPath,
      default: 'thresholds/inference_thresholds.yaml',
      doc: 'Limits of the detectors.',
      source: CONTRACT,
      reloadable: true,
    }),
    sampling_rate: leaf({
      format: real(0, 1),
      default: 0.01,
      unit: 'fraction of the requests',
      doc: 'How many requests are looked at.',
      source: CONTRACT,
      reloadable: true,
    }),
    ewma: group('Moving average of the logits.', {
      alpha: leaf({ format: real(0.0001, 1), default: 0.01, doc: 'Weight of the newest sample.', source: CONTRACT }),
      warmup_samples: leaf({
        format: integer(1, 10_000_000),
        default: 1000,
        unit: 'samples',
        doc: 'Samples before anything is said.',
        source: CONTRACT,
      }),
    }),
    kl_divergence: group('Distance from a reference distribution.', {
      reference_update_interval_s: leaf({
        format: integer(1, 604_800),
        default: 3600,
        unit: 's',
        doc: 'Time between two references.',
        source: CONTRACT,
      }),
      reference_sample_count: leaf({
        format: integer(100, 10_000_000),
        default: 10_000,
        unit: 'samples',
        doc: 'Samples in a reference.',
        source: CONTRACT,
      }),
      binning_strategy: leaf({
        format: choice('uniform', 'quantile'),
        default: 'quantile',
        doc: 'How values are put into bins.',
        source: CONTRACT,
      }),
      num_bins: leaf({ format: integer(2, 4096), default: 256, doc: 'Bins.', source: CONTRACT }),
    }),
    entropy: group('Entropy of the next token.', {
      window_size: leaf({
        format: integer(10, 1_000_000),
        default: 1000,
        unit: 'samples',
        doc: 'Samples in a window.',
        source: CONTRACT,
      }),
    }),
    spectral: group('Periodic residuals.', {
      enabled: leaf({ format: flag, default: false, doc: 'Looks for them.', source: CONTRACT }),
      fft_window_size: leaf({
        format: integer(64, 65_536),
        default: 1024,
        unit: 'samples',
        doc: 'Samples in a window.',
        source: CONTRACT,
      }),
    }),
    fingerprinting: group('Digests of outputs.', {
      algorithm: leaf({ format: choice('xxhash', 'sha256'), default: 'xxhash', doc: 'Digest.', source: CONTRACT }),
      intermediate_layers: leaf({
        format: list(text({ expects: 'a layer name', pattern: /^[A-Za-z0-9_.*-]{1,200}$/ })),
        default: [],
        doc: 'Layers whose outputs are digested too.',
        source: CONTRACT,
      }),
    }),
    batch_size: leaf({
      format: integer(1, 4096),
      default: 32,
      unit: 'events',
      doc: 'Events in one message at most.',
      source: CONTRACT,
    }),
    batch_flush_interval_ms: leaf({
      format: integer(10, 60_000),
      default: 500,
      unit: 'ms',
      doc: 'Longest time that an event waits for its message to fill.',
      source: CONTRACT,
    }),
    rank_device_map: leaf({
      format: rankDevices,
      default: {},
      doc: 'Device of each worker, {"0": GPU-…}; {} = as the framework says.',
      source: CONTRACT,
    }),
    metrics: group('The metrics port.', metricsPort(9093)),
    ...secret('service_token', {
      format: secretText(MIN_KEY_LENGTH),
      default: '',
      doc: 'Token by which the engine knows this monitor where TLS is off.',
      source: ESTIMATE,
      reloadable: true,
    }),
  }),
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    checkPlaintext(values.tls, { correlation_engine_endpoint: values.correlation_engine_endpoint }, report, context);
  },
);
