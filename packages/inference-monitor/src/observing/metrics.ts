import { type ObservedUplink, UplinkMetrics } from '@sentinel/monitor-kit/observing/uplink-metrics';
import { Counter, createRegistry, Gauge, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import type { FindingType } from '../analysers/finding.js';
import type { BlockCounts } from '../analysers/model-analysis.js';
import type { Counted } from '../ingest/inference-service.js';
import type { InferenceRecord } from '../ingest/record.js';
import { type ObservedFront, registerFront } from './front-metrics.js';

const KINDS = ['sample', 'weights'] as const satisfies readonly InferenceRecord['kind'][];
const TYPES = [
  'LOGIT_DRIFT',
  'ENTROPY_ANOMALY',
  'KL_DIVERGENCE',
  'INVARIANT_VIOLATION',
  'CANARY_MISMATCH',
  'REPLAY_MISMATCH',
  'REPLICA_MISMATCH',
] as const satisfies readonly FindingType[];

/** What is read when somebody asks. */
export interface Observed extends ObservedUplink {
  models(): number;
  senders(): number;
  /** Records that found the queue full since the start. */
  queueDropped(): number;
  blocks(): BlockCounts;
  /** Null where no traffic passes. */
  front(): ObservedFront | null;
}

/** The metrics of the monitor; every label has a closed set of values. */
export class MonitorMetrics {
  readonly registry: Registry = createRegistry();
  readonly uplink: UplinkMetrics<FindingType>;
  readonly #records: Counter<'kind'>;
  readonly #requests: Counter;
  readonly #unread: Counter;
  readonly #senderDropped: Counter;
  readonly #refused: Counter;

  constructor(observed: Observed) {
    const { registry } = this;
    const registers = [registry];
    this.#records = new Counter({
      name: 'sentinel_inference_records_total',
      help: 'Sampled requests and checksums of weights that were analysed. It stands still: sampling_rate is 0, or neither the front nor the library is connected.',
      labelNames: ['kind'],
      registers,
    });
    this.#requests = new Counter({
      name: 'sentinel_inference_requests_total',
      help: 'Requests that senders saw, sampled or not.',
      registers,
    });
    this.#unread = new Counter({
      name: 'sentinel_inference_unread_total',
      help: 'Sampled results that the library could not read: the log of the server says why.',
      registers,
    });
    this.#senderDropped = new Counter({
      name: 'sentinel_inference_sender_dropped_total',
      help: 'Records that the front or the library dropped: the analyser was away or slow.',
      registers,
    });
    this.#refused = new Counter({
      name: 'sentinel_inference_refused_total',
      help: 'Streams ended for a record that is not what it should be: install the library of this release.',
      registers,
    });
    for (const kind of KINDS) this.#records.inc({ kind }, 0);
    this.uplink = new UplinkMetrics({
      ...{ registry, prefix: 'sentinel_inference', section: 'inference_monitor' },
      ...{ types: TYPES, deviceKey: 'gpu_uuids', observed },
    });
    registerGauges(registry, observed);
    registerFront(registry, observed.front);
  }

  record({ kind }: InferenceRecord): void {
    if (kind === 'sample' || kind === 'weights') this.#records.inc({ kind });
  }

  counted({ seen, unread, dropped }: Counted): void {
    this.#requests.inc(seen);
    this.#unread.inc(unread);
    this.#senderDropped.inc(dropped);
  }

  refused(): void {
    this.#refused.inc();
  }
}

function registerGauges(registry: Registry, observed: Observed): void {
  const gauge = (name: string, help: string, read: () => number): void => readGauge(registry, name, help, read);
  gauge('sentinel_inference_models', 'Models that are analysed.', observed.models);
  gauge(
    'sentinel_inference_senders',
    'The front and processes of the server with the library that are connected. 0: see their logs.',
    observed.senders,
  );
  gauge(
    'sentinel_inference_queue_dropped',
    'Records that found the queue full since the start: lower sampling_rate, or give the monitor more CPU.',
    observed.queueDropped,
  );
  new Gauge({
    name: 'sentinel_inference_blocks',
    help: 'Blocks of requests since the start. small: had fewer sampled requests than block_ewma.min_requests and were not judged; raise sampling_rate.',
    labelNames: ['use'],
    registers: [registry],
    collect() {
      for (const [use, count] of Object.entries(observed.blocks())) this.set({ use }, count);
    },
  });
}
