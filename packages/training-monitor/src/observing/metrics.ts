import { type ObservedUplink, UplinkMetrics } from '@sentinel/monitor-kit/observing/uplink-metrics';
import { Counter, createRegistry, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import type { FindingType } from '../analysers/finding.js';
import type { TrainingRecord } from '../grouping/record.js';
import type { RunCounts } from '../grouping/run.js';

const KINDS = [
  'step',
  'replicas',
  'replay',
  'checkpoint',
  'product',
] as const satisfies readonly TrainingRecord['kind'][];
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
export interface Observed extends ObservedUplink {
  runs(): number;
  ranks(): number;
  /** Records that found the queue full since the start. */
  queueDropped(): number;
  counts(): RunCounts;
}

/** The metrics of the analyser; every label has a closed set of values. */
export class MonitorMetrics {
  readonly registry: Registry = createRegistry();
  readonly uplink: UplinkMetrics<FindingType>;
  readonly #records: Counter<'kind'>;
  readonly #libraryDropped: Counter;
  readonly #refused: Counter;
  readonly #overhead: Counter;
  readonly #steps: Counter;

  constructor(observed: Observed) {
    const registers = [this.registry];
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    this.#records = new Counter({
      name: 'sentinel_training_records_total',
      help: 'Records of jobs that were analysed. It stands still: the library reaches no analyser, its log says why.',
      labelNames: ['kind'],
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
    for (const kind of KINDS) this.#records.inc({ kind }, 0);
    this.uplink = new UplinkMetrics({
      ...{ registry: this.registry, prefix: 'sentinel_training', section: 'training_monitor' },
      ...{ types: TYPES, deviceKey: 'rank_device_map', observed },
    });
    registerGauges(this.registry, observed);
  }

  record(record: TrainingRecord): void {
    this.#records.inc({ kind: record.kind });
    if (record.kind !== 'step') return;
    this.#overhead.inc(record.cost.overheadUs / MICROSECONDS);
    this.#steps.inc(record.cost.stepUs / MICROSECONDS);
  }

  libraryDropped(records: number): void {
    this.#libraryDropped.inc(records);
  }

  refused(): void {
    this.#refused.inc();
  }
}

function registerGauges(registry: Registry, observed: Observed): void {
  const gauge = (name: string, help: string, read: () => number): void => readGauge(registry, name, help, read);
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
}
