import { Counter, Gauge, Histogram, type Registry } from '@sentinel/service-kit/metrics';
import { type ComparisonOutcome, FORGETTABLE, type OperatorAction } from '../core.js';
import { PRUNED } from '../store/retention/retention.js';

const ACTIONS: readonly (OperatorAction | 'AUTOMATIC')[] = [
  'AUTOMATIC',
  'QUARANTINE',
  'REINSTATE',
  'SCHEDULE_DEEP_TEST',
  'CONDEMN',
];
const CANARY_OUTCOMES = ['agreed', 'dissent', 'no_majority', 'timeout'];
const COMPARED = ['REPLICA_MISMATCH', 'REPLAY_MISMATCH', 'CHECKPOINT_DIVERGENCE', 'CANARY_MISMATCH'];
const COMPARISON_OUTCOMES = [
  'counted',
  'shared',
  'repeated',
  'not_its_device',
  'not_as_saved',
  'agreed',
  'no_majority',
  'too_few',
];
const LATENCY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const DETECTION_BUCKETS = [5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/** What the engine counts as it happens. Every label has a closed set of values. */
export class EngineMetrics {
  readonly results: Counter<'probe' | 'family' | 'result'>;
  readonly processed: Counter;
  readonly ignored: Counter;
  readonly refused: Counter<'place' | 'reason'>;
  readonly failures: Counter;
  readonly loud: Counter;
  readonly quarantines: Counter<'action'>;
  readonly canaries: Counter<'outcome'>;
  readonly dissents: Counter;
  readonly #anomalies: Counter<'type' | 'severity'>;
  readonly #comparisons: Counter<'type' | 'outcome'>;
  readonly latency: Histogram;
  readonly detection: Histogram;
  readonly left: Counter<'what'>;
  readonly forgotten: Counter<'what'>;
  readonly pruned: Counter<'what'>;
  readonly up: Gauge<'store'>;
  readonly ledgerConsistent: Gauge;
  readonly busDropped: Counter<'what'>;
  readonly cacheRewrites: Counter;
  readonly streamsEnded: Counter<'why'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.results = new Counter({
      name: 'sentinel_probe_results_total',
      help: "Executions by outcome, as committed; the agent has the same. not_run rising: look at that agent's log.",
      labelNames: ['probe', 'family', 'result'],
      registers,
    });
    this.processed = new Counter({
      name: 'sentinel_correlation_events_processed_total',
      help: 'Records committed.',
      registers,
    });
    this.ignored = new Counter({
      name: 'sentinel_ignored_rows_total',
      help: 'Rows about devices that the sender does not own. Rising: two nodes claim one device; see the audit ledger.',
      registers,
    });
    this.refused = new Counter({
      name: 'sentinel_refused_total',
      help: 'Calls, streams and records refused, by reason. BAD_MAC or UNKNOWN_KEY rising: check hmac_keys of engine and agents.',
      labelNames: ['place', 'reason'],
      registers,
    });
    this.failures = new Counter({
      name: 'sentinel_sdc_events_total',
      help: 'Wrong results committed. Any: see `sentinel gpus list`.',
      registers,
    });
    this.loud = new Counter({
      name: 'sentinel_loud_faults_total',
      help: 'Xid events, uncorrectable ECC errors, machine checks and lost devices that agents reported. Any: see the log.',
      registers,
    });
    this.quarantines = new Counter({
      name: 'sentinel_quarantine_total',
      help: 'Devices taken out (AUTOMATIC) and orders of operators carried out.',
      labelNames: ['action'],
      registers,
    });
    this.canaries = new Counter({
      name: 'sentinel_tmr_canaries_total',
      help: 'Canaries by outcome. timeout rising: agents are away or too old for them. no_majority: see `sentinel trust`.',
      labelNames: ['outcome'],
      registers,
    });
    this.dissents = new Counter({
      name: 'sentinel_tmr_dissent_total',
      help: 'Devices that two others outvoted in a canary. Any: see `sentinel trust`.',
      registers,
    });
    this.#anomalies = new Counter({
      name: 'sentinel_anomaly_events_total',
      help: 'Events of monitors, as committed. One type rising: see its entries with `sentinel audit query`.',
      labelNames: ['type', 'severity'],
      registers,
    });
    this.#comparisons = new Counter({
      name: 'sentinel_job_comparisons_total',
      help: 'Comparisons of jobs by what the vote said. counted: a device is accused, shared: several that answered together, see `sentinel gpus list`. no_majority rising: the job itself is not deterministic.',
      labelNames: ['type', 'outcome'],
      registers,
    });
    this.latency = new Histogram({
      name: 'sentinel_correlation_processing_latency_seconds',
      help: 'One transaction: from its statements to its commit. High: look at the database and its disk.',
      buckets: LATENCY_BUCKETS,
      registers,
    });
    this.detection = new Histogram({
      name: 'sentinel_detection_latency_seconds',
      help: "From a device's first wrong result to its automatic quarantine.",
      buckets: DETECTION_BUCKETS,
      registers,
    });
    this.left = new Counter({
      name: 'sentinel_left_out_total',
      help: 'What a bounded queue had no room for. history: agents offer it again; directive: the next hello repeats it.',
      labelNames: ['what'],
      registers,
    });
    this.forgotten = new Counter({
      name: 'sentinel_forgotten_total',
      help: 'What the bounded memory of decisions gave up or did not take, see docs/telemetry.md. canary or incident rising: much fails at once.',
      labelNames: ['what'],
      registers,
    });
    this.pruned = new Counter({
      name: 'sentinel_pruned_rows_total',
      help: 'Rows of the database given up because of their age, see database.retention. Flat for a day while the database grows: see the log.',
      labelNames: ['what'],
      registers,
    });
    this.up = new Gauge({
      name: 'sentinel_store_up',
      help: '0 = the store is away: nothing is acknowledged (state), archived (history), written to the ledger (ledger) or shown by other replicas (bus). No series = this replica never asked it.',
      labelNames: ['store'],
      registers,
    });
    this.ledgerConsistent = new Gauge({
      name: 'sentinel_ledger_consistent',
      help: '0: CRITICAL, the audit ledger contradicts a checkpoint that it gave before; entries wait in the outbox. Run "sentinel audit verify".',
      registers,
    });
    this.busDropped = new Counter({
      name: 'sentinel_bus_dropped_total',
      help: 'Live updates given up. publish: Redis was away; subscriber: a reader was too slow; malformed: another release wrote it.',
      labelNames: ['what'],
      registers,
    });
    this.cacheRewrites = new Counter({
      name: 'sentinel_cache_rewrites_total',
      help: 'The cached states were written as a whole. Rising steadily: Redis loses its data, or two fleets write one key.',
      registers,
    });
    this.streamsEnded = new Counter({
      name: 'sentinel_event_streams_ended_total',
      help: 'Readers of live updates that are gone. slow: one did not read; refused: too many at once; no_database: it could not be asked.',
      labelNames: ['why'],
      registers,
    });
    for (const what of ['publish', 'subscriber', 'malformed']) this.busDropped.inc({ what }, 0);
    for (const why of ['left', 'slow', 'no_database', 'stopped', 'refused']) this.streamsEnded.inc({ why }, 0);
    for (const outcome of COMPARISON_OUTCOMES) for (const type of COMPARED) this.#comparisons.inc({ type, outcome }, 0);
    for (const action of ACTIONS) this.quarantines.inc({ action }, 0);
    for (const outcome of CANARY_OUTCOMES) this.canaries.inc({ outcome }, 0);
    for (const what of ['history', 'directive', 'own']) this.left.inc({ what }, 0);
    for (const what of FORGETTABLE) this.forgotten.inc({ what }, 0);
    for (const what of PRUNED) this.pruned.inc({ what }, 0);
    this.ledgerConsistent.set(1);
  }

  /** Names of an AnomalyType and of an AnomalySeverity. */
  anomaly(type: string, severity = 'UNSPECIFIED'): void {
    this.#anomalies.inc({ type, severity });
  }

  comparison(type: string, outcome: ComparisonOutcome): void {
    this.#comparisons.inc({ type, outcome: outcome.toLowerCase() });
  }
}
