import { choice, flag, integer, list, mapping, real, text } from '../formats.js';
import {
  endpoint,
  listenAddress,
  nodeName,
  optionalEndpoint,
  optionalListenAddress,
  optionalPath,
  requiredPath,
  webUrl,
} from '../places.js';
import { group, leaf, secret, section } from '../schema.js';
import { ownNodeName, ownPodName } from './node-name.js';
import {
  CONTRACT,
  checkPlaintext,
  checkTlsFiles,
  ESTIMATE,
  lateClientTls,
  MIN_KEY_LENGTH,
  metricsPort,
  secretText,
} from './shared.js';

/** Of keys that the thresholds file has as well. */
const UNLESS_THERE = 'Where the thresholds file does not say it.';

/** Devices by rank or worker number. */
export const rankDevices = mapping(text({ expects: 'a device id', pattern: /^[A-Za-z0-9-]{1,80}$/ }));

export const inferenceMonitor = section(
  'The monitor beside an inference server.',
  {
    enabled: leaf({ format: flag, default: true, doc: 'Samples requests.', source: CONTRACT }),
    correlation_engine_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50051',
      doc: 'Where the correlation engine listens, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: lateClientTls('inference-monitor'),
    node_name: leaf({
      format: nodeName,
      default: '',
      doc: "This node's name, the same as its probe agent's; \"\" = the variable NODE_NAME, else the host's name.",
      source: CONTRACT,
      fallback: ownNodeName,
    }),
    data_dir: leaf({
      format: requiredPath,
      default: '/var/lib/sentinel/inference-monitor',
      doc: 'Folder of the spool and of reference distributions; each node name has its own subfolder.',
      source: ESTIMATE,
    }),
    spool: group('Anomalies that the engine has not yet committed, on disk.', {
      max_bytes: leaf({
        format: integer(1_048_576, 1_099_511_627_776),
        default: 16_777_216,
        unit: 'bytes',
        doc: 'Largest spool. What finds it full is dropped and counted; its last tenth is kept for comparisons of bits.',
        source: ESTIMATE,
      }),
    }),
    replica_name: leaf({
      format: text({ expects: 'at most 128 characters', pattern: /^.{1,128}$/, allowEmpty: true }),
      default: '',
      doc: 'Name of this replica of the model; "" = the variable POD_NAME, else node_name and the port of upstream_url.',
      source: ESTIMATE,
      fallback: ownPodName,
    }),
    gpu_uuids: leaf({
      format: list(text({ expects: 'a device id', pattern: /^[A-Za-z0-9-]{1,80}$/ })),
      default: [],
      doc: 'Devices that the inference server computes on, by worker; [] = as the library says, else the only device of the node.',
      source: ESTIMATE,
    }),
    listen_address: leaf({
      format: listenAddress,
      default: '127.0.0.1:8000',
      doc: 'Where the sidecar takes requests in place of the inference server, over HTTP/1.1 and HTTP/2.',
      source: CONTRACT,
    }),
    upstream_url: leaf({
      format: webUrl({ allowEmpty: true }),
      default: '',
      doc: 'The inference server; "" = the usual address of framework on this host, and no traffic passes where that is listen_address.',
      source: CONTRACT,
    }),
    ...secret('upstream_api_key', {
      format: secretText(1),
      default: '',
      doc: 'Key that the inference server demands of the monitor itself, as vLLM with --api-key; requests of users keep their own.',
      source: ESTIMATE,
    }),
    drain_s: leaf({
      format: integer(1, 3_600),
      default: 25,
      unit: 'seconds',
      doc: 'Time that requests in flight have when the sidecar is stopped; in Kubernetes less than terminationGracePeriodSeconds.',
      source: ESTIMATE,
    }),
    max_connections: leaf({
      format: integer(16, 1_000_000),
      default: 4096,
      doc: 'Connections of clients over HTTP at once; more are refused and counted. Each costs the sidecar about 30 KB.',
      source: ESTIMATE,
    }),
    grpc_listen_address: leaf({
      format: optionalListenAddress,
      default: '',
      doc: 'Where the sidecar takes KServe v2 requests over gRPC; "" = nowhere.',
      source: ESTIMATE,
    }),
    upstream_grpc: leaf({
      format: optionalEndpoint,
      default: '',
      doc: 'The gRPC port of the inference server, HOST:PORT; "" = port 8001 of the host of upstream_url.',
      source: ESTIMATE,
    }),
    socket_path: leaf({
      format: requiredPath,
      default: '/run/sentinel/inference.sock',
      doc: 'Unix socket on which the front of the sidecar, and the library in the server, reach the analyser.',
      source: CONTRACT,
    }),
    socket_mode: leaf({
      format: text({ expects: 'three octal digits such as "660"', pattern: /^[0-7]{3}$/ }),
      default: '666',
      doc: 'Permissions of the socket. Whoever may write to it can report about GPUs of this node.',
      source: ESTIMATE,
    }),
    canary: group('A fixed prompt whose answer has to stay the same.', {
      enabled: leaf({ format: flag, default: true, doc: 'Asks it.', source: CONTRACT }),
      interval_s: leaf({
        format: integer(1, 86_400),
        default: 60,
        unit: 's',
        doc: 'Time between two canaries.',
        source: CONTRACT,
      }),
      prompts_file: leaf({
        format: optionalPath,
        default: '',
        doc: 'Prompts, one a line, used in turn; "" = those of the product.',
        source: ESTIMATE,
      }),
      max_tokens: leaf({
        format: integer(1, 256),
        default: 16,
        unit: 'tokens',
        doc: 'Tokens of an answer.',
        source: ESTIMATE,
      }),
      hard: leaf({
        format: choice('auto', 'never'),
        default: 'auto',
        doc: 'Whether canaries and replays that differ are evidence by their bits: auto = where this engine was shown to answer alike whatever shares the batch.',
        source: CONTRACT,
      }),
    }),
    replay: group('Sampled requests that other replicas compute again.', {
      interval_s: leaf({
        format: integer(0, 86_400),
        default: 60,
        unit: 's',
        doc: 'Least time between two replays; 0 = never.',
        source: ESTIMATE,
      }),
      pure_models: leaf({
        format: list(text({ expects: 'the name of a model', pattern: /^[A-Za-z0-9._-]{1,128}$/ })),
        default: [],
        doc: 'Models of KServe v2 that compute from the request and their weights alone, and read no data that one replica may have newer than others: replays that differ are hard evidence of these, and of those whose platform is a graph (TensorRT, ONNX, TorchScript, TensorFlow, OpenVINO).',
        source: ESTIMATE,
      }),
    }),
    weights: group('Checksums of the weights in memory, by the library.', {
      interval_s: leaf({
        format: integer(0, 604_800),
        default: 600,
        unit: 's',
        doc: 'Time between two checksums; 0 = never. Read by the library in the server.',
        source: CONTRACT,
      }),
      manifest_file: leaf({
        format: optionalPath,
        default: '',
        doc: 'What the checksums have to be; "" = the first one after the weights were loaded. Read by the library in the server.',
        source: ESTIMATE,
      }),
    }),
    replicas: group('Monitors of other replicas of the same model, with which answers are compared.', {
      listen_address: leaf({
        format: optionalListenAddress,
        default: '',
        doc: 'Where this monitor answers others, HOST:PORT; "" = nowhere.',
        source: ESTIMATE,
      }),
      endpoints: leaf({
        format: list(endpoint),
        default: [],
        doc: 'The others, HOST:PORT; a name with several addresses stands for all of them, such as a headless Service.',
        source: ESTIMATE,
      }),
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
    ewma: group('Moving average of the largest logit of single requests: INFO events, which accuse no device.', {
      alpha: leaf({
        format: real(0.0001, 1),
        default: 0.01,
        doc: `Weight of the newest request. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      warmup_samples: leaf({
        format: integer(1, 10_000_000),
        default: 1000,
        unit: 'samples',
        doc: `Requests before anything is said. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
    }),
    kl_divergence: group('Distance from a reference distribution.', {
      reference_update_interval_s: leaf({
        format: integer(1, 604_800),
        default: 3600,
        unit: 's',
        doc: `Least time between two references. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      reference_sample_count: leaf({
        format: integer(100, 10_000_000),
        default: 10_000,
        unit: 'samples',
        doc: `Requests from which bins are laid out (min_reference_samples of the thresholds file). ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      binning_strategy: leaf({
        format: choice('uniform', 'quantile'),
        default: 'quantile',
        doc: `How bins are laid out: of equal width, or equally full. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
      num_bins: leaf({
        format: integer(2, 4096),
        default: 256,
        doc: `Bins that are laid out first. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
    }),
    entropy: group('Entropy of the next token.', {
      window_size: leaf({
        format: integer(10, 1_000_000),
        default: 1000,
        unit: 'samples',
        doc: `Requests in a window. ${UNLESS_THERE}`,
        source: CONTRACT,
      }),
    }),
    spectral: group('A period in the entropy of successive requests.', {
      enabled: leaf({ format: flag, default: false, doc: `Looks for it. ${UNLESS_THERE}`, source: CONTRACT }),
      fft_window_size: leaf({
        format: integer(64, 65_536),
        default: 1024,
        unit: 'samples',
        doc: `Requests in a window. ${UNLESS_THERE}`,
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
  },
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    const { correlation_engine_endpoint, replicas, tls } = values;
    const { listen_address, endpoints } = replicas;
    const others = Object.fromEntries(endpoints.map((address, i) => [`replicas.endpoints[${i}]`, address]));
    const listens = listen_address === '' ? {} : { 'replicas.listen_address': listen_address };
    checkPlaintext(tls, { correlation_engine_endpoint, ...listens, ...others }, report, context);
  },
);
