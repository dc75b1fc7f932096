import { choice, flag, integer, real } from '../formats.js';
import { endpoint, requiredPath } from '../places.js';
import { group, inert, leaf, secret, section } from '../schema.js';
import { rankDevices } from './inference-monitor.js';
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

export const trainingMonitor = section(
  'The analyser beside a training job.',
  inert({
    correlation_engine_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50051',
      doc: 'Where the correlation engine listens, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: clientTls('training-monitor'),
    socket_path: leaf({
      format: requiredPath,
      default: '/run/sentinel/training.sock',
      doc: 'Unix socket on which the library in the job reaches the analyser.',
      source: CONTRACT,
    }),
    thresholds_file: leaf({
      format: requiredPath,
      default: 'thresholds/training_thresholds.yaml',
      doc: 'Limits of the detectors.',
      source: CONTRACT,
      reloadable: true,
    }),
    sampling_rate: leaf({
      format: real(0, 1),
      default: 0.1,
      unit: 'fraction of the steps',
      doc: 'How many steps are looked at.',
      source: CONTRACT,
      reloadable: true,
    }),
    gradient_norm: group('Norm of the gradients.', {
      window_size: leaf({
        format: integer(10, 1_000_000),
        default: 100,
        unit: 'steps',
        doc: 'Steps in a window.',
        source: CONTRACT,
      }),
      sigma_threshold: leaf({
        format: real(1, 100),
        default: 5,
        unit: 'standard deviations',
        doc: 'Distance from the median that is a spike.',
        source: CONTRACT,
      }),
    }),
    loss: group('Value of the loss.', {
      window_size: leaf({
        format: integer(5, 1_000_000),
        default: 50,
        unit: 'steps',
        doc: 'Steps in a window.',
        source: CONTRACT,
      }),
      spike_threshold: leaf({
        format: real(1, 1000),
        default: 3,
        unit: 'standard deviations',
        doc: 'Distance from the median that is a spike.',
        source: CONTRACT,
      }),
      lr_aware: leaf({
        format: flag,
        default: true,
        doc: 'Allows for changes of the learning rate.',
        source: CONTRACT,
      }),
    }),
    cross_rank: group('Ranks that should agree.', {
      enabled: leaf({ format: flag, default: true, doc: 'Compares them.', source: CONTRACT }),
      comparison_interval_steps: leaf({
        format: integer(1, 1_000_000),
        default: 10,
        unit: 'steps',
        doc: 'Steps between two comparisons.',
        source: CONTRACT,
      }),
      max_divergence: leaf({
        format: real(0, 1),
        default: 0.05,
        unit: 'relative difference',
        doc: 'Largest difference that is not reported.',
        source: CONTRACT,
      }),
      backend: leaf({
        format: choice('auto', 'nccl', 'gloo'),
        default: 'auto',
        doc: 'How ranks exchange what is compared; auto = as the job does.',
        source: CONTRACT,
      }),
    }),
    checkpoint: group('Checkpoints of the job.', {
      verify_on_save: leaf({ format: flag, default: true, doc: 'Hashes what is saved.', source: CONTRACT }),
      verify_on_load: leaf({ format: flag, default: true, doc: 'Compares what is loaded.', source: CONTRACT }),
      hash_algorithm: leaf({
        format: choice('sha256', 'xxhash'),
        default: 'sha256',
        doc: 'Hash of a checkpoint.',
        source: CONTRACT,
      }),
    }),
    rank_device_map: leaf({
      format: rankDevices,
      default: {},
      doc: 'Device of each rank, {"0": GPU-…}; {} = as the framework says.',
      source: CONTRACT,
    }),
    metrics: group('The metrics port.', metricsPort(9094)),
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
