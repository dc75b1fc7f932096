import { choice, flag, integer, real, text } from '../formats.js';
import { endpoint, nodeName, requiredPath } from '../places.js';
import { group, leaf, secret, section } from '../schema.js';
import { rankDevices } from './inference-monitor.js';
import { ownNodeName } from './node-name.js';
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

/** Of keys that the library in the job reads; the analyser only checks them. */
const LIBRARY = 'Read by the library in the job.';

/** Of keys that the thresholds file has as well. */
const UNLESS_THERE = 'Where the thresholds file does not say it.';

export const trainingMonitor = section(
  'The analyser beside training jobs, and the library in them.',
  {
    correlation_engine_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50051',
      doc: 'Where the correlation engine listens, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: clientTls('training-monitor'),
    node_name: leaf({
      format: nodeName,
      default: '',
      doc: "This node's name, the same as its probe agent's; \"\" = the variable NODE_NAME, else the host's name. Devices of ranks on other nodes are left to the analysers there.",
      source: CONTRACT,
      fallback: ownNodeName,
    }),
    data_dir: leaf({
      format: requiredPath,
      default: '/var/lib/sentinel/training-monitor',
      doc: 'Folder of the spool; each node name has its own subfolder.',
      source: ESTIMATE,
    }),
    spool: group('Anomalies that the engine has not yet committed, on disk.', {
      max_bytes: leaf({
        format: integer(1_048_576, 1_099_511_627_776),
        default: 67_108_864,
        unit: 'bytes',
        doc: 'Largest spool. What finds it full is dropped and counted; its last tenth is kept for comparisons of bits.',
        source: ESTIMATE,
      }),
    }),
    socket_path: leaf({
      format: requiredPath,
      default: '/run/sentinel/training.sock',
      doc: 'Unix socket on which the library in the job reaches the analyser.',
      source: CONTRACT,
    }),
    socket_mode: leaf({
      format: text({ expects: 'three octal digits such as "660"', pattern: /^[0-7]{3}$/ }),
      default: '666',
      doc: 'Permissions of the socket. Whoever may write to it can report about GPUs of this node; jobs run as many users.',
      source: ESTIMATE,
    }),
    thresholds_file: leaf({
      format: requiredPath,
      default: 'thresholds/training_thresholds.yaml',
      doc: 'Limits of the detectors. SIGHUP reads it again.',
      source: CONTRACT,
      reloadable: true,
    }),
    sampling_rate: leaf({
      format: real(0, 1),
      default: 0.1,
      unit: 'fraction of the steps',
      doc: `How many steps are measured. ${LIBRARY}`,
      source: CONTRACT,
    }),
    job_id: leaf({
      format: text({ expects: 'at most 128 characters', pattern: /^.{1,128}$/, allowEmpty: true }),
      default: '',
      doc: `Name of the job, the same on all ranks and after a restart; "" = as the launcher says. ${LIBRARY}`,
      source: ESTIMATE,
    }),
    overhead_budget_pct: leaf({
      format: real(0.01, 100),
      default: 0.5,
      unit: '% of the time of the job',
      doc: `What the library may take; intervals are stretched until it holds, at 100 never. ${LIBRARY}`,
      source: CONTRACT,
    }),
    gradient_norm: group('Norm of the gradients.', {
      window_size: leaf({
        format: integer(10, 10_000),
        default: 100,
        unit: 'measured steps',
        doc: `Window of median and scale. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      sigma_threshold: leaf({
        format: real(1, 100),
        default: 5,
        unit: 'standard deviations',
        doc: `Least distance from the median that is a spike. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
    }),
    loss: group('Value of the loss.', {
      window_size: leaf({
        format: integer(10, 10_000),
        default: 50,
        unit: 'measured steps',
        doc: `Window of median and scale. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      spike_threshold: leaf({
        format: real(1, 1000),
        default: 3,
        unit: 'standard deviations',
        doc: `Least distance from the median that is a spike. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      lr_aware: leaf({
        format: flag,
        default: true,
        doc: `Allows for changes of the learning rate. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
    }),
    cross_rank: group('Ranks that are compared.', {
      enabled: leaf({ format: flag, default: true, doc: `Compares them. ${LIBRARY}`, source: CONTRACT }),
      comparison_interval_steps: leaf({
        format: integer(1, 1_000_000),
        default: 10,
        unit: 'steps',
        doc: `Steps between two comparisons of parameters and optimizer state. ${LIBRARY}`,
        source: CONTRACT,
      }),
      max_divergence: leaf({
        format: real(0, 1),
        default: 0.05,
        unit: 'relative difference',
        doc: `Largest difference of what replicas have in common that is not reported. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      backend: leaf({
        format: choice('auto', 'nccl', 'gloo'),
        default: 'auto',
        doc: `Changes nothing: ranks exchange what is compared, 96 bytes each, over a gloo group of the library's own, so that the job's nccl streams are not touched. ${LIBRARY}`,
        source: CONTRACT,
      }),
    }),
    replay: group('Micro-batches that ranks compute again.', {
      interval_steps: leaf({
        format: integer(0, 1_000_000),
        default: 200,
        unit: 'steps',
        doc: `Steps between two replays; 0 = never. ${LIBRARY}`,
        source: ESTIMATE,
      }),
    }),
    checkpoint: group('Checkpoints of the job.', {
      verify_on_save: leaf({ format: flag, default: true, doc: `Hashes what is saved. ${LIBRARY}`, source: CONTRACT }),
      verify_on_load: leaf({
        format: flag,
        default: true,
        doc: `Compares what is loaded. ${LIBRARY}`,
        source: CONTRACT,
      }),
      hash_algorithm: leaf({
        format: choice('sha256', 'xxhash'),
        default: 'sha256',
        doc: `Hash of a checkpoint. ${LIBRARY}`,
        source: CONTRACT,
      }),
    }),
    rank_device_map: leaf({
      format: rankDevices,
      default: {},
      doc: 'Device of each rank of this node that does not say it itself, {"0": GPU-…}; {} = what the rank says.',
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
  },
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    checkPlaintext(values.tls, { correlation_engine_endpoint: values.correlation_engine_endpoint }, report, context);
  },
);
