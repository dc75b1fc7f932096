import { choice, flag, integer, list, real, text } from '../formats.js';
import { cpuDevices, endpoint, nodeName, optionalPath, requiredPath } from '../places.js';
import { group, leaf, secret, section } from '../schema.js';
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

const deviceIds = list(text({ expects: 'a device id such as GPU-8f3a…', pattern: /^[A-Za-z0-9-]{1,80}$/ }));

export const probeAgent = section(
  'The daemon on each node that runs the probes.',
  {
    overhead_budget_pct: leaf({
      format: real(0.01, 5),
      default: 2,
      unit: '% of the time of each device (CPU backend: of each logical CPU)',
      doc: 'Hard cap on what scheduled probes may use. A schedule file may carry its own.',
      source: CONTRACT,
      reloadable: true,
    }),
    burst_budget_pct: leaf({
      format: real(0.01, 50),
      default: 5,
      unit: '% of the time of each device',
      doc: 'Cap on confirmation bursts, which come on top of the scheduled probes for a minute.',
      source: CONTRACT,
      reloadable: true,
    }),
    charge_factor: leaf({
      format: real(1, 3),
      default: 1,
      doc: 'What other work on a device loses by a microsecond that probes are charged there; budgets pay charge times factor. Above 1 where `sentinel-probe-agent --mode benchmark` shows a higher MEASURED/CHARGED on this kind of machine.',
      source: ESTIMATE,
      reloadable: true,
    }),
    schedule_file: leaf({
      format: requiredPath,
      default: 'probe_schedules/default.yaml',
      doc: 'Which probes run how often; see probe_schedules/.',
      source: CONTRACT,
      reloadable: true,
      readable: 'always',
    }),
    tolerances_file: leaf({
      format: optionalPath,
      default: '',
      doc: 'How a wrong result is looked into before it is reported; see thresholds/probe_tolerances.yaml. "" = as that file says. Results themselves have no tolerance: bits are compared.',
      source: CONTRACT,
      readable: 'always',
    }),
    paused_devices: leaf({
      format: deviceIds,
      default: [],
      doc: 'Devices that run nothing for now, on top of those that operators paused through the engine. Their coverage ages.',
      source: ESTIMATE,
      reloadable: true,
    }),
    ...secret('hmac_key', {
      format: secretText(MIN_KEY_LENGTH),
      default: '',
      doc: 'Key that signs batches, the same for the whole fleet: this node\'s own key is derived from it. "" = every engine refuses the batches.',
      source: CONTRACT,
    }),
    hmac_key_kind: leaf({
      format: choice('fleet', 'derived'),
      default: 'fleet',
      doc: "fleet = hmac_key is the fleet's; derived = it is this node's own derived key, 64 hexadecimal digits.",
      source: CONTRACT,
    }),
    hmac_key_id: leaf({
      format: text({ expects: 'a key id of letters, digits, "_" or "-"', pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/ }),
      default: 'default',
      doc: "Name of hmac_key in the engine's hmac_keys, so that keys can rotate.",
      source: CONTRACT,
    }),
    batch_size: leaf({
      format: integer(1, 4096),
      default: 64,
      unit: 'runs',
      doc: 'Runs in one batch at most.',
      source: CONTRACT,
    }),
    batch_flush_interval_ms: leaf({
      format: integer(10, 60_000),
      default: 1000,
      unit: 'ms',
      doc: 'Longest time that a run waits for its batch to fill. A mismatch never waits.',
      source: CONTRACT,
    }),
    correlation_engine_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50051',
      doc: 'Where the correlation engine listens, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: clientTls('agent'),
    backend: leaf({
      format: choice('auto', 'cpu', 'cuda'),
      default: 'auto',
      doc: 'What is tested: the GPUs of this node (cuda), its CPUs (cpu), or GPUs where there are any and else CPUs (auto).',
      source: ESTIMATE,
    }),
    discovery: group('Which GPUs are tested.', {
      auto_detect: leaf({
        format: flag,
        default: true,
        doc: 'Tests every GPU that the driver shows.',
        source: CONTRACT,
      }),
      gpu_uuids: leaf({
        format: deviceIds,
        default: [],
        doc: 'Tests these GPUs only; used while auto_detect is false.',
        source: CONTRACT,
      }),
      exclude_gpu_uuids: leaf({ format: deviceIds, default: [], doc: 'Never tests these GPUs.', source: CONTRACT }),
    }),
    cpu: group('The CPU backend.', {
      devices: leaf({
        format: cpuDevices,
        default: [],
        doc: 'Logical CPUs of each device, e.g. ["0-3", "4-7"]; [] = one device of all CPUs that this process may use.',
        source: CONTRACT,
      }),
    }),
    kernel: group('How probes are launched on a GPU.', {
      stream_priority: leaf({
        format: integer(-10, 10),
        default: -1,
        doc: "CUDA stream priority, clamped to the device's range; larger numbers yield to other work.",
        source: CONTRACT,
      }),
      use_cuda_graphs: leaf({
        format: flag,
        default: true,
        doc: 'Launches each family as one CUDA graph.',
        source: CONTRACT,
      }),
      variant: leaf({
        format: choice('auto', 'full', 'small'),
        default: 'auto',
        doc: 'full = a block of 256 threads and all shared memory on each SM; small = 128 threads and 8 KiB, which fit beside other processes under MPS; auto = small under MPS, else full.',
        source: ESTIMATE,
      }),
    }),
    telemetry: group('Temperatures, clocks and error counters that go with the runs.', {
      collection_interval_s: leaf({
        format: integer(1, 3600),
        default: 10,
        unit: 's',
        doc: 'Time between two readings.',
        source: CONTRACT,
      }),
      collect_nvlink: leaf({ format: flag, default: true, doc: 'Reads NVLink error counters.', source: CONTRACT }),
      collect_pcie: leaf({ format: flag, default: true, doc: 'Reads PCIe replay counters.', source: CONTRACT }),
    }),
    metrics: group('The metrics port. A taken port is said and retried; probing goes on.', metricsPort(9092)),
    data_dir: leaf({
      format: requiredPath,
      default: '/var/lib/sentinel/spool',
      doc: 'Folder of the spool and of saved device ids; each node name has its own subfolder, so several agents may share it.',
      source: ESTIMATE,
    }),
    node_name: leaf({
      format: nodeName,
      default: '',
      doc: 'This node\'s name, unique in the fleet; "" = the variable NODE_NAME, else the host\'s name.',
      source: CONTRACT,
      fallback: ownNodeName,
    }),
    spool: group('Reports that the engine has not yet archived, on disk.', {
      max_bytes: leaf({
        format: integer(1_048_576, 1_099_511_627_776),
        default: 1_073_741_824,
        unit: 'bytes',
        doc: 'Largest spool. Beyond it the oldest passing runs are replaced by counts; mismatches go last.',
        source: ESTIMATE,
      }),
      ack_journal: leaf({
        format: flag,
        default: false,
        doc: 'Keeps a line per acknowledged record in acks.jsonl beside the spool, for checks of delivery. The file only grows.',
        source: ESTIMATE,
      }),
    }),
  },
  (values, report, context) => {
    if (values.hmac_key_kind === 'derived' && !/^[0-9a-f]{64}$/i.test(values.hmac_key)) {
      report('hmac_key', 'must be 64 hexadecimal digits while hmac_key_kind is derived');
    }
    checkTlsFiles(values.tls, report);
    checkPlaintext(values.tls, { correlation_engine_endpoint: values.correlation_engine_endpoint }, report, context);
  },
);
