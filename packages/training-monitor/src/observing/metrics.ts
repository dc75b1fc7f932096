import { NOT_SENT, type NotSent } from '@sentinel/monitor-kit/report/outbox';
import type { Severity } from '@sentinel/monitor-kit/severity';
import { Counter, createRegistry, Gauge, type Registry } from '@sentinel/service-kit/metrics';
import { VERSION } from '@sentinel/service-kit/version';
import type { Finding, FindingType } from '../analysers/finding.js';
import type { TrainingRecord } from '../grouping/record.js';
import type { RunCounts } from '../grouping/run.js';

const KINDS = [
  'step',
  'replicas',
  'replay',
  'checkpoint',
  'product',
] as const satisfies readonly TrainingRecord['kind'][];
const SEVERITIES = ['INFO', 'WARNING', 'HIGH', 'CRITICAL'] as const satisfies readonly Severity[];
const TYPES = [
  'REPLICA_MISMATCH',
  'REPLAY_MISMATCH',
  'CHECKPOINT_DIVERGENCE',
  'GRADIENT_NORM_SPIKE',
  'LOSS_SPIKE',
  'CROSS_RANK_DIVERGENCE',
  'INVARIANT_VIOLATION',
] as const satisfies readonly FindingType[];

const MICROSECONDS = 1e6;

/** What is read when somebody asks. */
export interface Observed {
  readonly node: string;
  runs(): number;
  ranks(): number;
  /** Records that found the queue full since the start. */
  queueDropped(): number;
  counts(): RunCounts;
  connected(): boolean;
  spoolRecords(): number;
  spoolBytes(): number;
}

/** The metrics of the analyser; every label has a closed set of values. */
export class MonitorMetrics {
  readonly registry: Registry = createRegistry();
  readonly #records: Counter<'kind'>;
  readonly #anomalies: Counter<'type' | 'severity'>;
  readonly #notSent: Counter<'reason'>;
  readonly #libraryDropped: Counter;
  readonly #refused: Counter;
  readonly #overhead: Counter;
  readonly #steps: Counter;
  readonly #disconnects: Counter;
  readonly #givenUp: Counter;

  constructor(observed: Observed) {
    const registers = [this.registry];
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    this.#records = new Counter({
      name: 'sentinel_training_records_total',
      help: 'Records of jobs that were analysed. It stands still: the library reaches no analyser, its log says why.',
      labelNames: ['kind'],
      registers,
    });
    this.#anomalies = new Counter({
      name: 'sentinel_training_anomalies_total',
      help: 'What the analysers found; the log says of which rank, `sentinel gpus explain` what the engine makes of it.',
      labelNames: ['type', 'severity'],
      registers,
    });
    this.#notSent = new Counter({
      name: 'sentinel_training_not_sent_total',
      help: 'Findings that were not sent. info: logged alone. repeated, too_many: bounded rate. elsewhere: of another node or an unknown device (rank_device_map). spool_full: connect the engine.',
      labelNames: ['reason'],
      registers,
    });
    this.#libraryDropped = counter(
      'sentinel_training_library_dropped_total',
      'Records that the library in a job dropped: the analyser was away or slow.',
    );
    this.#refused = counter(
      'sentinel_training_refused_total',
      'Streams ended for a record that is not what it should be: install the library of this release.',
    );
    this.#overhead = counter(
      'sentinel_training_overhead_seconds_total',
      'Time that the library took of measured steps. Above 0.5 % of sentinel_training_step_seconds_total: lower sampling_rate.',
    );
    this.#steps = counter('sentinel_training_step_seconds_total', 'Duration of measured steps.');
    this.#disconnects = counter(
      'sentinel_training_disconnects_total',
      'Connections to the engine that ended or could not be made; the log says what to do.',
    );
    this.#givenUp = counter(
      'sentinel_training_records_given_up_total',
      'Records of anomalies that the engine refused for good; the log says why.',
    );
    for (const kind of KINDS) this.#records.inc({ kind }, 0);
    for (const reason of NOT_SENT) this.#notSent.inc({ reason }, 0);
    for (const type of TYPES) for (const severity of SEVERITIES) this.#anomalies.inc({ type, severity }, 0);
    registerGauges(registers, observed);
  }

  record(record: TrainingRecord): void {
    this.#records.inc({ kind: record.kind });
    if (record.kind !== 'step') return;
    this.#overhead.inc(record.cost.overheadUs / MICROSECONDS);
    this.#steps.inc(record.cost.stepUs / MICROSECONDS);
  }

  finding({ type, severity }: Finding): void {
    this.#anomalies.inc({ type, severity });
  }

  notSent(reason: NotSent, events: number): void {
    this.#notSent.inc({ reason }, events);
  }

  libraryDropped(records: number): void {
    this.#libraryDropped.inc(records);
  }

  refused(): void {
    this.#refused.inc();
  }

  disconnected(): void {
    this.#disconnects.inc();
  }

  givenUp(records: number): void {
    this.#givenUp.inc(records);
  }
}

function registerGauges(registers: Registry[], observed: Observed): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  new Gauge({
    name: 'sentinel_training_info',
    help: 'Always 1: the name of the node, as the engine has it, and the release of the analyser.',
    labelNames: ['node', 'version'],
    registers,
  }).set({ node: observed.node, version: VERSION }, 1);
  gauge('sentinel_training_runs', 'Runs of jobs that are analysed.', observed.runs);
  gauge(
    'sentinel_training_ranks',
    'Ranks that are connected. 0 while a job runs: see the log of the job.',
    observed.ranks,
  );
  gauge(
    'sentinel_training_queue_dropped',
    'Records that found the queue full since the start: lower sampling_rate, or give the analyser more CPU.',
    observed.queueDropped,
  );
  gauge(
    'sentinel_training_late_copies',
    'Copies of a round since the start that came too late to count: a rank lags by more than 5 s.',
    () => observed.counts().late,
  );
  gauge(
    'sentinel_training_crowded_rounds',
    'Rounds since the start that were judged before all ranks had told of them, to make room.',
    () => observed.counts().crowded,
  );
  gauge(
    'sentinel_training_disagreeing_copies',
    'Copies of a round since the start that say something else than the rest: the memory or link of that rank is suspect.',
    () => observed.counts().disagreeing,
  );
  gauge(
    'sentinel_training_grpc_stream_active',
    '1 while the engine takes anomalies, or none wait. 0: they wait in the spool; the log says what to do.',
    () => Number(observed.connected()),
  );
  gauge('sentinel_training_spool_records', 'Records that the engine has not committed yet.', observed.spoolRecords);
  gauge(
    'sentinel_training_spool_bytes',
    'Size of the spool; at training_monitor.spool.max_bytes anomalies are dropped.',
    observed.spoolBytes,
  );
}
