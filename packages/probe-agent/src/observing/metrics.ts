import { ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { Counter, createRegistry, Gauge, Histogram, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import { VERSION } from '@sentinel/service-kit/version';
import { executed, type ProbeRun } from '../execution/run.js';
import { probeOf } from '../families.js';
import { nameOf } from '../names.js';
import { POOLS, type Pool } from '../scheduler/planner.js';
import type { GivenUp } from '../spool/give-up.js';
import type { DeviceContext } from '../telemetry/context.js';
import { LOUD_FAULT_KINDS, type LoudFaultKind } from '../telemetry/reading.js';
import type { FamilyCoverage } from './coverage-map.js';

/** Seconds: an execution takes milliseconds, a timeout seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30];

/** Gauges that are read when somebody asks. */
export interface Observed {
  /** Its name, as the engine and the ledger have it. */
  readonly node: string;
  devices(): number;
  connected(): boolean;
  spoolRecords(): number;
  spoolBytes(): number;
  childRestarts(): number;
  childBytes(): number;
  activeDirectives(): number;
  pausedDevices(): number;
  coverage(): readonly FamilyCoverage[];
  /** Of the logical CPU that computed most goldens of GPUs over the last minute, percent. */
  goldenPct(): number;
  /** Of a day's scheduled runs, those in the hot bin; undefined where no device has a temperature. */
  hotShare(): number | undefined;
  /** Charged to the busiest logical CPU, or to the busiest GPU, over the last minute, percent. */
  overheadPct(pool: Pool | 'all'): number;
  /** What its other work lost by that, percent. */
  lostPct(pool: Pool): number;
  /** Of each device, in the order of the hello; undefined while it has no reading. */
  contexts(): readonly (DeviceContext | undefined)[];
}

/** The metrics of the agent; every label has a closed set of values. */
export class AgentMetrics {
  readonly registry: Registry = createRegistry();
  readonly #results: Counter<'probe' | 'family' | 'result'>;
  readonly #duration: Histogram<'probe' | 'family'>;
  readonly #coverage: Gauge<'family'>;
  /** By family and device, of the last scheduled launch. */
  readonly #ratios = new Map<string, Map<string, number>>();
  readonly #givenUp: Counter<'what'>;
  readonly #childFailures: Counter<'kind'>;
  readonly #loudFaults: Counter<'kind'>;
  readonly #disconnects: Counter;

  constructor(observed: Observed) {
    const registers = [this.registry];
    this.#results = new Counter({
      name: 'sentinel_probe_results_total',
      help: 'Results per SM. FAIL: see the mismatch in the log and the engine. NOT_RUN, TIMEOUT, ERROR: the log says why.',
      labelNames: ['probe', 'family', 'result'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'sentinel_probe_duration_seconds',
      help: 'Duration of a launch, golden included. If it grows, the machine is overcommitted.',
      labelNames: ['probe', 'family'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#coverage = new Gauge({
      name: 'sentinel_probe_coverage_ratio',
      help: 'SMs that ran in the last scheduled launch of a family, of those planned; of the device with fewest. Below 1: the log says why they did not run.',
      labelNames: ['family'],
      registers,
    });
    this.#givenUp = new Counter({
      name: 'sentinel_agent_spool_dropped_total',
      help: 'Runs and mismatches that were replaced by counts. Spool full: connect the engine or raise spool.max_bytes. Left by a test build: the log says so.',
      labelNames: ['what'],
      registers,
    });
    this.#childFailures = new Counter({
      name: 'sentinel_agent_child_failures_total',
      help: 'Probe children that hung (timeout) or died (crashed). If it grows, look for driver or hardware faults.',
      labelNames: ['kind'],
      registers,
    });
    this.#loudFaults = new Counter({
      name: 'sentinel_agent_loud_faults_total',
      help: 'Xid events, uncorrectable ECC errors, machine checks and lost devices; the log says which. Any: look at that device.',
      labelNames: ['kind'],
      registers,
    });
    this.#disconnects = new Counter({
      name: 'sentinel_agent_disconnects_total',
      help: 'Connections to the engine that ended or could not be made; the log says what to do.',
      registers,
    });
    for (const what of ['runs', 'mismatches']) this.#givenUp.inc({ what }, 0);
    for (const kind of ['timeout', 'crashed']) this.#childFailures.inc({ kind }, 0);
    for (const kind of LOUD_FAULT_KINDS) this.#loudFaults.inc({ kind }, 0);
    registerGauges(this.registry, observed);
  }

  ran(run: ProbeRun): void {
    const { family } = run;
    const probe = probeOf(family);
    this.#duration.observe({ probe, family }, run.durationUs / 1e6);
    for (const { result } of run.results) this.#results.inc({ probe, family, result: nameOf(ProbeResult, result) });
    if (run.kind !== RunKind.SCHEDULED) return;
    const ratios = this.#ratios.get(family) ?? new Map<string, number>();
    ratios.set(run.deviceId, run.results.filter(executed).length / run.results.length);
    this.#ratios.set(family, ratios);
    this.#coverage.set({ family }, Math.min(...ratios.values()));
  }

  givenUp({ runs, mismatches }: GivenUp): void {
    this.#givenUp.inc({ what: 'runs' }, runs);
    this.#givenUp.inc({ what: 'mismatches' }, mismatches);
  }

  childFailed(kind: 'timeout' | 'crashed'): void {
    this.#childFailures.inc({ kind });
  }

  loudFault(kind: LoudFaultKind): void {
    this.#loudFaults.inc({ kind });
  }

  disconnected(): void {
    this.#disconnects.inc();
  }
}

function registerGauges(registry: Registry, observed: Observed): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) => readGauge(registry, name, help, read);
  new Gauge({
    name: 'sentinel_agent_info',
    help: 'Always 1: the name of the node, as the engine has it, and the release of the agent.',
    labelNames: ['node', 'version'],
    registers,
  }).set({ node: observed.node, version: VERSION }, 1);
  gauge('sentinel_agent_connected_gpus', 'Devices that this agent tests. 0: see --list-gpus.', observed.devices);
  gauge(
    'sentinel_agent_grpc_stream_active',
    '1 while the engine takes results. 0: probing goes on and results wait in the spool; the log says what to do.',
    () => Number(observed.connected()),
  );
  gauge('sentinel_agent_spool_records', 'Records that the engine has not archived yet.', observed.spoolRecords);
  gauge('sentinel_agent_spool_bytes', 'Size of the spool; at spool.max_bytes runs are given up.', observed.spoolBytes);
  gauge(
    'sentinel_agent_child_restarts',
    'Times that a probe child was replaced since the start.',
    observed.childRestarts,
  );
  gauge('sentinel_agent_child_memory_bytes', 'Resident memory of the probe children.', observed.childBytes);
  gauge('sentinel_agent_directives', 'Directives of the engine under way.', observed.activeDirectives);
  gauge(
    'sentinel_agent_paused_devices',
    'Devices that run nothing because an operator paused them.',
    observed.pausedDevices,
  );
  gauge(
    'sentinel_probe_golden_cpu_pct',
    'Share of a logical CPU that computes goldens of GPUs, the busiest over the last minute: lower the schedule if it disturbs.',
    observed.goldenPct,
  );
  new Gauge({
    name: 'sentinel_probe_hot_runs_ratio',
    help: "Scheduled runs of the last day in the hottest fifth of the device's day; of the device with fewest. Below 0.2: it was hardly ever hot when runs were due. No series without a temperature.",
    registers,
    collect() {
      this.reset();
      const share = observed.hotShare();
      if (share !== undefined) this.set(share);
      else this.remove();
    },
  });
  new Gauge({
    name: 'sentinel_probe_coverage_max_age_seconds',
    help: 'Since the SM that has waited longest ran a family. If it grows, GET /coverage names the SMs and the log the reason.',
    labelNames: ['family'],
    registers,
    collect() {
      this.reset();
      for (const { family, maxAgeSeconds } of observed.coverage()) this.set({ family }, maxAgeSeconds);
    },
  });
  new Gauge({
    name: 'sentinel_probe_coverage_in_time_ratio',
    help: 'SMs that ran a family within the time in which the schedule reaches each of them. Below 1: GET /coverage names the others.',
    labelNames: ['family'],
    registers,
    collect() {
      this.reset();
      for (const { family, dueRatio } of observed.coverage()) this.set({ family }, dueRatio);
    },
  });
  const perPool = (name: string, help: string, read: (pool: Pool) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['pool'],
      registers,
      collect() {
        for (const pool of POOLS) this.set({ pool }, read(pool));
      },
    });
  perPool(
    'sentinel_probe_overhead_pct',
    'Charged share of the busiest device (a logical CPU, or a GPU) over the last minute, by what pays: lower the schedule if it disturbs.',
    observed.overheadPct,
  );
  new Gauge({
    name: 'sentinel_probe_overhead_all_pools_pct',
    help: 'The same whatever paid, of the device that is then busiest. Above 3: sentinel_probe_overhead_pct says whether schedule, bursts or deep tests do it.',
    registers,
    collect() {
      this.set(observed.overheadPct('all'));
    },
  });
  perPool(
    'sentinel_probe_overhead_measured_pct',
    'What the other work of that device lost by it: the charged share times probe_agent.charge_factor, which --mode benchmark measures and the budgets pay.',
    observed.lostPct,
  );
  const perDevice = (name: string, help: string, read: (context: DeviceContext) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['device'],
      registers,
      collect() {
        this.reset();
        for (const [device, context] of observed.contexts().entries()) {
          const value = context === undefined ? undefined : read(context);
          if (value !== undefined) this.set({ device: String(device) }, value);
        }
      },
    });
  perDevice(
    'sentinel_agent_device_temperature_celsius',
    'By the place of the device in --list-gpus; no series where it offers none.',
    ({ temperatureC }) => temperatureC,
  );
  perDevice('sentinel_agent_device_power_watts', 'The same for its power.', ({ powerW }) => powerW);
}
