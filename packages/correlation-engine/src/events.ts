import { type ErrorCode, type ErrorReason, SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import { Counter, Gauge, Histogram, type Registry } from '@sentinel/service-kit/metrics';
import type { Group, Logged } from './commit/group.js';
import type { Item, OrderItem } from './commit/item.js';
import {
  type AgentEventsRecord,
  type ClosedCanary,
  type CoreState,
  familyName,
  type HealthState,
  type ObservationEffect,
  type OperatorAction,
  type ProposalEffect,
  summarize,
  type TransitionEffect,
  waitingProposals,
} from './core.js';

/** Where something was refused: a closed set of labels. */
export type Place = 'control' | 'results' | 'call' | 'commit' | 'http';

const STATES: readonly HealthState[] = ['HEALTHY', 'SUSPECT', 'QUARANTINED', 'DEEP_TEST', 'CONDEMNED'];
const ACTIONS: readonly (OperatorAction | 'AUTOMATIC')[] = [
  'AUTOMATIC',
  'QUARANTINE',
  'REINSTATE',
  'SCHEDULE_DEEP_TEST',
  'CONDEMN',
];
const CANARY_OUTCOMES = ['agreed', 'dissent', 'no_majority', 'timeout'];
const CANARY_SENTENCES = {
  DISSENT: 'canary: a device computed something else than two others',
  NO_MAJORITY: 'canary: no two devices agree, so nobody is accused',
  TIMEOUT: 'canary: too few answers for a vote',
} as const;
/** Schedule type by family, as the agent labels its own counters. */
const PROBES: Readonly<Record<string, string>> = {
  fma32: 'FMA',
  fma64: 'FMA',
  int_aes: 'AES',
  cpu_reg: 'REGISTER_FILE',
  cpu_mem: 'MEMORY',
};
/** A store that stays away is said again after this time. */
const REPEAT_MS = 60_000;
const MAX_LOGGED_DETAIL = 256;
const LATENCY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const DETECTION_BUCKETS = [5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/** What the gauges read when they are scraped. */
export interface Gauges {
  state(): CoreState;
  /** Time of the newest commit. */
  nowUs(): number;
  connectedAgents(): number;
  waitingRecords(): number;
  waitingHistoryBytes(): number;
  outboxPending(): number;
}

/** Counts and logs every business fact of the engine: nothing else does. */
export class Events {
  readonly #log: Logger;
  readonly #results: Counter<'probe' | 'family' | 'result'>;
  readonly #processed: Counter;
  readonly #ignored: Counter;
  readonly #refused: Counter<'place' | 'reason'>;
  readonly #failures: Counter;
  readonly #loud: Counter;
  readonly #quarantines: Counter<'action'>;
  readonly #canaries: Counter<'outcome'>;
  readonly #dissents: Counter;
  readonly #latency: Histogram;
  readonly #detection: Histogram;
  readonly #left: Counter<'what'>;
  readonly #up: Gauge<'store'>;
  readonly #away = new Map<string, number>();

  constructor(log: Logger, registry: Registry) {
    this.#log = log;
    const registers = [registry];
    this.#results = new Counter({
      name: 'sentinel_probe_results_total',
      help: "Executions by outcome, as committed; the agent has the same. not_run rising: look at that agent's log.",
      labelNames: ['probe', 'family', 'result'],
      registers,
    });
    this.#processed = new Counter({
      name: 'sentinel_correlation_events_processed_total',
      help: 'Records committed.',
      registers,
    });
    this.#ignored = new Counter({
      name: 'sentinel_ignored_rows_total',
      help: 'Rows about devices that the sender does not own. Rising: two nodes claim one device; see the audit ledger.',
      registers,
    });
    this.#refused = new Counter({
      name: 'sentinel_refused_total',
      help: 'Calls, streams and records refused, by reason. BAD_MAC or UNKNOWN_KEY rising: check hmac_keys of engine and agents.',
      labelNames: ['place', 'reason'],
      registers,
    });
    this.#failures = new Counter({
      name: 'sentinel_sdc_events_total',
      help: 'Wrong results committed. Any: see `sentinel gpus list`.',
      registers,
    });
    this.#loud = new Counter({
      name: 'sentinel_loud_faults_total',
      help: 'Xid events, uncorrectable ECC errors, machine checks and lost devices that agents reported. Any: see the log.',
      registers,
    });
    this.#quarantines = new Counter({
      name: 'sentinel_quarantine_total',
      help: 'Devices taken out (AUTOMATIC) and orders of operators carried out.',
      labelNames: ['action'],
      registers,
    });
    this.#canaries = new Counter({
      name: 'sentinel_tmr_canaries_total',
      help: 'Canaries by outcome. timeout rising: agents are away or too old for them. no_majority: see `sentinel trust`.',
      labelNames: ['outcome'],
      registers,
    });
    this.#dissents = new Counter({
      name: 'sentinel_tmr_dissent_total',
      help: 'Devices that two others outvoted in a canary. Any: see `sentinel trust`.',
      registers,
    });
    this.#latency = new Histogram({
      name: 'sentinel_correlation_processing_latency_seconds',
      help: 'One transaction: from its statements to its commit. High: look at the database and its disk.',
      buckets: LATENCY_BUCKETS,
      registers,
    });
    this.#detection = new Histogram({
      name: 'sentinel_detection_latency_seconds',
      help: "From a device's first wrong result to its automatic quarantine.",
      buckets: DETECTION_BUCKETS,
      registers,
    });
    this.#left = new Counter({
      name: 'sentinel_left_out_total',
      help: 'What a bounded queue had no room for. history: agents offer it again; directive: the next hello repeats it.',
      labelNames: ['what'],
      registers,
    });
    this.#up = new Gauge({
      name: 'sentinel_store_up',
      help: '0 = the store is away: nothing is acknowledged (state), archived (history) or written to the ledger (ledger).',
      labelNames: ['store'],
      registers,
    });
    for (const action of ACTIONS) this.#quarantines.inc({ action }, 0);
    for (const outcome of CANARY_OUTCOMES) this.#canaries.inc({ outcome }, 0);
    for (const what of ['history', 'directive', 'own']) this.#left.inc({ what }, 0);
    for (const store of ['state', 'history', 'ledger']) this.#up.set({ store }, 1);
  }

  /** Gauges are read when they are scraped. @param maxGpus largest fleet for which each device has series of its own */
  observe(gauges: Gauges, registry: Registry, maxGpus: number, maxWaiting: number): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge(
      'sentinel_grpc_active_streams',
      'Connected agents. Falling: see the log of the agents.',
      gauges.connectedAgents,
    );
    gauge('sentinel_correlation_buffer_size', 'Records that wait for their commit.', gauges.waitingRecords);
    gauge(
      'sentinel_correlation_buffer_max',
      'Records that may wait per agent before it is slowed down.',
      () => maxWaiting,
    );
    gauge(
      'sentinel_history_pending_bytes',
      'Committed records that wait for the history. Growing: check the disk of history.url.',
      gauges.waitingHistoryBytes,
    );
    gauge(
      'sentinel_outbox_pending',
      'Events that wait for the audit ledger. Growing: check that the ledger runs.',
      gauges.outboxPending,
    );
    gauge(
      'sentinel_incidents',
      'Cohorts that fail broadly, where quarantines are held. Any: suspect software, not hardware.',
      () => gauges.state().fleet.incidents.filter(({ endedUs }) => endedUs === null).length,
    );
    gauge(
      'sentinel_approvals_pending',
      'Actions that wait for an operator. Any: see `sentinel quarantine pending`.',
      () => waitingProposals(gauges.state()).length,
    );
    new Gauge({
      name: 'sentinel_gpus',
      help: 'Devices by state.',
      labelNames: ['state'],
      registers: [registry],
      collect() {
        for (const state of STATES) this.set({ state }, 0);
        for (const device of gauges.state().devices.values())
          if (device.replaced === null) this.inc({ state: device.state });
      },
    });
    this.#perGpu(gauges, registry, maxGpus);
  }

  #perGpu(gauges: Gauges, registry: Registry, maxGpus: number): void {
    const shown = function* () {
      const state = gauges.state();
      for (const device of state.devices.values()) {
        if (state.devices.size <= maxGpus || device.state !== 'HEALTHY') yield { device, state };
      }
    };
    new Gauge({
      name: 'sentinel_gpu_reliability_score',
      help: 'Displayed score: 0.990 without evidence, below 0.95 suspicious.',
      labelNames: ['gpu'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { device, state } of shown())
          this.set({ gpu: device.id }, summarize(state, device, gauges.nowUs()).score.score);
      },
    });
    new Gauge({
      name: 'sentinel_gpu_state',
      help: '1 HEALTHY, 2 SUSPECT, 3 QUARANTINED, 4 DEEP_TEST, 5 CONDEMNED.',
      labelNames: ['gpu'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { device } of shown()) this.set({ gpu: device.id }, STATES.indexOf(device.state) + 1);
      },
    });
  }

  committed(group: Group, seconds: number, state: CoreState): void {
    if (group.logged.length > 0) this.#latency.observe(seconds);
    this.#processed.inc(group.logged.length);
    for (const row of group.rows.counters) {
      const family = familyName(row.family);
      const labels = { probe: PROBES[family] ?? 'OTHER', family: PROBES[family] === undefined ? 'other' : family };
      this.#results.inc({ ...labels, result: 'pass' }, row.executions - row.failures);
      this.#results.inc({ ...labels, result: 'fail' }, row.failures);
      this.#results.inc({ ...labels, result: 'not_run' }, row.not_run);
    }
    this.#failures.inc(group.rows.observations.length);
    for (const logged of group.logged) this.#logged(logged, state);
  }

  #logged({ item, effects }: Logged, state: CoreState): void {
    for (const { node, deviceId, rows, mismatches } of effects.ignored) {
      this.#ignored.inc(rows);
      this.#log.warn(
        { node, device: deviceId, rows, mismatches },
        'rows about a device that the sender does not own are ignored',
      );
    }
    this.#wrongResults(effects.observations);
    for (const canary of effects.closedCanaries) this.#canary(canary);
    for (const proposal of effects.proposals) this.#proposal(proposal);
    for (const transition of effects.transitions) this.#transition(transition, state);
    if (item.kind === 'order' && effects.refusal === null) this.#order(item.record);
    if (item.record.kind === 'agent-events') this.#loudFaults(item.record);
    if (item.record.kind === 'config') this.#log.info({ mode: item.record.config.mode }, 'configuration committed');
  }

  #proposal({ deviceId: device, proposal, outcome, decidedBy, decisionReason }: ProposalEffect): void {
    const { id, action, cause, reason, proposedBy } = proposal;
    const facts = { device, action, cause, directiveId: id, proposedBy: proposedBy || undefined };
    if (outcome === 'PENDING') this.#log.warn({ ...facts, reason }, `${action} of ${device} waits for an operator`);
    else {
      const decided = { ...facts, decidedBy: decidedBy || undefined, reason: decisionReason };
      this.#log.info(decided, `${action} of ${device}: ${outcome.toLowerCase()}`);
      if (outcome === 'APPROVED') this.#quarantines.inc({ action });
    }
  }

  #canary({ id, outcome, dissenters, silent, gpus }: ClosedCanary): void {
    this.#canaries.inc({ outcome: outcome.toLowerCase() });
    this.#dissents.inc(dissenters.length);
    const facts = { canary: id, devices: gpus, dissenters, silent };
    if (outcome === 'AGREED') this.#log.debug(facts, 'canary: all agree');
    else this.#log.warn(facts, CANARY_SENTENCES[outcome]);
  }

  #order(record: OrderItem['record']): void {
    const { kind, actor, reason } = record;
    switch (kind) {
      case 'approval':
        // The proposal's own line says it.
        break;
      case 'operator':
        if (record.requiresApproval === true) break;
        this.#quarantines.inc({ action: record.action });
        this.#log.info(
          { action: record.action, device: record.gpu, actor, directiveId: record.directiveId },
          'order of an operator carried out',
        );
        break;
      case 'pause':
        this.#log.info(
          { device: record.gpu, actor, reason },
          record.paused === null ? 'probing resumed' : 'probing paused',
        );
        break;
      case 'incident-order':
        this.#log.info({ incident: record.incident, decision: record.decision, actor, reason }, 'incident resolved');
        break;
      case 'rate-limit-reset':
        this.#log.info({ actor, reason }, 'limit of automatic quarantines reset');
        break;
      case 'schedule':
        this.#log.info({ node: record.node, actor, reason }, record.yaml === '' ? 'schedule cleared' : 'schedule set');
        break;
    }
  }

  /** One line a record, as with wrong results. */
  #loudFaults({ node, sequence, events }: AgentEventsRecord): void {
    const loud = events.filter(({ event }) => event === 'loud_fault');
    const [first] = loud;
    if (first === undefined) return;
    this.#loud.inc(loud.length);
    this.#log.warn(
      { device: first.deviceId, node, sequence, events: loud.length },
      `loud fault, as its agent reports: ${first.detail.slice(0, MAX_LOGGED_DETAIL)}`,
    );
  }

  /** One line a record: a device that fails everywhere must not flood the log. Each result is in the table of observations. */
  #wrongResults(observations: readonly ObservationEffect[]): void {
    const [first] = observations;
    if (first === undefined) return;
    const { deviceId: device, family, sm, node, sequence, row, counted, heldBy, injected } = first;
    const facts = { device, family: familyName(family), sm, node, sequence, row, counted, heldBy, injected };
    this.#log.warn({ ...facts, results: observations.length }, 'wrong result');
  }

  #transition(
    { deviceId: device, from, to, reason, injected, actor, timeUs }: TransitionEffect,
    state: CoreState,
  ): void {
    this.#log.warn(
      { device, from, to, reason, injected, actor: actor === '' ? undefined : actor },
      `${device} is ${to}`,
    );
    if (to !== 'QUARANTINED' || actor !== '') return;
    this.#quarantines.inc({ action: 'AUTOMATIC' });
    const first = state.devices.get(device)?.firstObservationUs;
    if (first !== null && first !== undefined) this.#detection.observe((timeUs - first) / 1e6);
  }

  agentRegistered(facts: {
    node: string;
    spoolId: string;
    identity: string;
    buildId: string;
    testBuild: boolean;
    devices: number;
    epoch: number;
  }): void {
    this.#log.info(facts, 'agent registered');
  }

  agentLeft(node: string, why: string): void {
    this.#log.info({ node, why }, 'agent left');
  }

  refused(
    place: Place,
    error: SentinelError,
    facts: { readonly node?: string | undefined; readonly peer?: string | undefined } = {},
  ): void {
    const reason: ErrorReason = error.reason;
    this.#refused.inc({ place, reason });
    this.#log.warn({ place, reason, field: error.field || undefined, ...facts }, `refused: ${error.sentence}`);
  }

  itemRefused(item: Item, error: SentinelError): void {
    if (error.code === 'INTERNAL') this.#log.error({ err: error.cause, kind: item.record.kind }, error.message);
    if (item.kind === 'own') this.leftOut('own');
    else if (item.kind !== 'uplink') this.#refused.inc({ place: 'commit', reason: error.reason });
  }

  leftOut(what: 'history' | 'directive' | 'own'): void {
    this.#left.inc({ what });
  }

  /** `error` null = it is back. Said once, and again while it lasts. */
  storeChanged(store: Store, error: unknown): void {
    const said = this.#away.get(store);
    if (error === null) {
      if (said === undefined) return;
      this.#away.delete(store);
      this.#up.set({ store }, 1);
      this.#log.info({ store }, `the ${NAMES[store]} is back`);
      return;
    }
    this.#up.set({ store }, 0);
    if (said !== undefined && performance.now() - said < REPEAT_MS) return;
    this.#away.set(store, performance.now());
    const known = SentinelError.from(error);
    const how = REFUSALS.has(known.code) ? 'refuses what it is sent' : 'is away';
    this.#log.error({ store, reason: known.sentence }, `the ${NAMES[store]} ${how}: ${CONSEQUENCES[store]}`);
  }

  /** As far as is known. */
  isUp(store: Store): boolean {
    return !this.#away.has(store);
  }
}

export type Store = 'state' | 'history' | 'ledger';

/** Answers of a store that is there: waiting alone does not mend them. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
]);

const NAMES = { state: 'database', history: 'history', ledger: 'audit ledger' } as const;
const CONSEQUENCES = {
  state: 'nothing is acknowledged until it is back; agents keep their records',
  history: 'decisions go on; agents keep their records',
  ledger: 'decisions go on; their entries wait',
} as const;
