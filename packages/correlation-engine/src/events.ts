import type { ErrorReason, SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Registry } from '@sentinel/service-kit/metrics';
import type { BusDrop } from './bus/bus.js';
import type { Group, Logged } from './commit/group.js';
import { type Item, isOfSpool, type OrderItem } from './commit/item.js';
import {
  type AgentEventsRecord,
  type ClosedCanary,
  type CoreState,
  FORGETTABLE,
  familyName,
  type ObservationEffect,
  type ProposalEffect,
  type TransitionEffect,
} from './core.js';
import { EngineMetrics } from './events/metrics.js';
import { type Standing, type Store, StoreHealth } from './events/stores.js';
import type { StreamEnd } from './live/event-stream.js';
import type { InconsistentLedgerError } from './outbox/checkpoint.js';
import type { Pruned } from './store/retention/retention.js';

/** Where something was refused: a closed set of labels. */
export type Place = 'control' | 'results' | 'anomalies' | 'call' | 'commit' | 'http' | 'replica';

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
const MAX_LOGGED_DETAIL = 256;

/** Counts and logs every business fact of the engine: nothing else does. */
export class Events {
  readonly #log: Logger;
  readonly #metrics: EngineMetrics;
  readonly #stores: StoreHealth;
  #contradiction = '';

  constructor(log: Logger, registry: Registry) {
    this.#log = log;
    this.#metrics = new EngineMetrics(registry);
    this.#stores = new StoreHealth(log, this.#metrics.up);
  }

  committed(group: Group, seconds: number, state: CoreState): void {
    if (group.logged.length > 0) this.#metrics.latency.observe(seconds);
    this.#metrics.processed.inc(group.logged.length);
    for (const row of group.rows.counters) {
      const family = familyName(row.family);
      const labels = { probe: PROBES[family] ?? 'OTHER', family: PROBES[family] === undefined ? 'other' : family };
      this.#metrics.results.inc({ ...labels, result: 'pass' }, row.executions - row.failures);
      this.#metrics.results.inc({ ...labels, result: 'fail' }, row.failures);
      this.#metrics.results.inc({ ...labels, result: 'not_run' }, row.not_run);
    }
    this.#metrics.failures.inc(group.rows.observations.length);
    for (const logged of group.logged) this.#logged(logged, state);
  }

  #logged({ item, effects }: Logged, state: CoreState): void {
    for (const { node, deviceId, rows, mismatches } of effects.ignored) {
      this.#metrics.ignored.inc(rows);
      this.#log.warn(
        { node, device: deviceId, rows, mismatches },
        'rows about a device that the sender does not own are ignored',
      );
    }
    for (const what of FORGETTABLE) {
      const count = effects.forgotten[what];
      if (count !== undefined) this.#metrics.forgotten.inc({ what }, count);
    }
    this.#wrongResults(effects.observations);
    for (const canary of effects.closedCanaries) this.#canary(canary);
    for (const proposal of effects.proposals) this.#proposal(proposal);
    for (const transition of effects.transitions) this.#transition(transition, state);
    if (item.kind === 'order' && effects.refusal === null) this.#order(item.record);
    for (const { type, outcome } of effects.comparisons) this.#metrics.comparison(type, outcome);
    if (item.record.kind === 'monitor-report')
      for (const event of item.record.events)
        if (event.kind === 'anomaly' || event.kind === 'comparison') this.#metrics.anomaly(event.type, event.severity);
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
      if (outcome === 'APPROVED') this.#metrics.quarantines.inc({ action });
    }
  }

  #canary({ id, outcome, dissenters, silent, gpus }: ClosedCanary): void {
    this.#metrics.canaries.inc({ outcome: outcome.toLowerCase() });
    this.#metrics.dissents.inc(dissenters.length);
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
        this.#metrics.quarantines.inc({ action: record.action });
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
      case 'ledger-rollback':
        this.#log.warn(
          { actor, reason, knownEntries: record.knownEntries, entries: record.entries, sentAgain: record.sentAgain },
          'rollback of the audit ledger accepted by an operator',
        );
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
    this.#metrics.loud.inc(loud.length);
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
    this.#metrics.quarantines.inc({ action: 'AUTOMATIC' });
    const first = state.devices.get(device)?.firstObservationUs;
    if (first !== null && first !== undefined) this.#metrics.detection.observe((timeUs - first) / 1e6);
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
    this.#metrics.refused.inc({ place, reason });
    this.#log.warn({ place, reason, field: error.field || undefined, ...facts }, `refused: ${error.sentence}`);
  }

  itemRefused(item: Item, error: SentinelError): void {
    if (error.code === 'INTERNAL') this.#log.error({ err: error.cause, kind: item.record.kind }, error.message);
    if (item.kind === 'own') this.leftOut('own');
    else if (!isOfSpool(item)) this.#metrics.refused.inc({ place: 'commit', reason: error.reason });
  }

  busDropped(what: BusDrop, count: number): void {
    this.#metrics.busDropped.inc({ what }, count);
  }

  cacheRewritten(devices: number): void {
    this.#metrics.cacheRewrites.inc();
    this.#log.info({ devices }, 'the cached states were written as a whole');
  }

  eventStreamEnded(why: StreamEnd | 'refused'): void {
    this.#metrics.streamsEnded.inc({ why });
    if (why !== 'left' && why !== 'stopped') this.#log.warn({ why }, 'a reader of live updates was cut');
  }

  leftOut(what: 'history' | 'directive' | 'own'): void {
    this.#metrics.left.inc({ what });
  }

  /** Rows that were given up because of their age. */
  pruned(what: Pruned, rows: number): void {
    this.#metrics.pruned.inc({ what }, rows);
  }

  /** `error` null = it is back. Said once, and again while it lasts. */
  storeChanged(store: Store, error: unknown): void {
    this.#stores.changed(store, error);
  }

  /** `error` null = the ledger proves that it only grew. Said once for each contradiction. */
  ledgerInconsistent(error: InconsistentLedgerError | null): void {
    this.#metrics.ledgerConsistent.set(error === null ? 1 : 0);
    if (error !== null && error.message !== this.#contradiction) {
      const { first, second } = error;
      this.#log.error({ first, second }, `CRITICAL: ${error.message}; both checkpoints are kept, entries wait`);
    }
    this.#contradiction = error?.message ?? '';
  }

  /** What the ledger contradicts, as a sentence; '' = nothing. */
  get contradiction(): string {
    return this.#contradiction;
  }

  standing(store: Store): Standing {
    return this.#stores.standing(store);
  }

  /** Why the clock is not to be trusted; null = it is again. */
  clockChanged(trouble: string | null): void {
    if (trouble === null) this.#log.info('the clock of this machine agrees with that of the database again');
    else this.#log.error(trouble);
  }

  /** This engine has nothing to do with the store any more. */
  forget(store: Store): void {
    this.#stores.forget(store);
  }

  /** As a sentence; null = it is there. */
  whyAway(store: Store): string | null {
    return this.#stores.whyAway(store);
  }
}
