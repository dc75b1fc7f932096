import type { Bus } from '../bus/bus.js';
import type { DirectiveUpdate, IncidentUpdate, LiveUpdate, StateUpdate } from '../bus/live-updates.js';
import { type Draft, type Effects, familyName, type Incident, parseCohort, type TransitionEffect } from '../core.js';
import { deviceOf, fleetOf } from '../evidence/draft.js';
import type { CommitRows } from '../store/commit-rows.js';

/** What was committed. */
interface Committed {
  readonly rows: Pick<CommitRows, 'from' | 'to'>;
  readonly logged: readonly { readonly updates: readonly LiveUpdate[] }[];
}

/**
 * Tells readers of a transaction as one: they have room for so many transactions, whatever each of them holds. Each is told with what
 * it follows, so that a reader sees at once where one did not come through.
 */
export class Announcer {
  readonly #bus: Pick<Bus, 'publish'>;
  /** Newest record of the last transaction; null = there was none. */
  #through: number | null = null;
  /** Nothing was left untold since this record. */
  #after = 0;

  constructor(bus: Pick<Bus, 'publish'>) {
    this.#bus = bus;
  }

  /** Each transaction in turn, whether or not there is something to tell. One that is missing was committed unseen, and may have had something. */
  committed({ rows: { from, to }, logged }: Committed): void {
    if (from.commitSeq !== this.#through) this.#after = from.commitSeq;
    this.#through = to.commitSeq;
    const updates = logged.flatMap((record) => record.updates);
    if (updates.length === 0) return;
    this.#bus.publish({ after: this.#after, commitSeq: to.commitSeq, updates });
    this.#after = to.commitSeq;
  }
}

/** What readers of live updates are told of a record, in order. The draft shows what it did. */
export function announced(effects: Effects, draft: Draft): LiveUpdate[] {
  return [
    ...effects.transitions.map((transition) => stateUpdate(transition, draft)),
    ...effects.outbox.flatMap((event) => incidentUpdate(event, draft)),
    ...effects.fleetDirectives.map(directiveUpdate),
  ];
}

function stateUpdate(transition: TransitionEffect, draft: Draft): StateUpdate {
  const { deviceId: gpu, from, to, reason, actor, injected, timeUs } = transition;
  return { kind: 'state', gpu, node: deviceOf(draft, gpu)?.node ?? '', from, to, reason, actor, injected, timeUs };
}

const INCIDENT_EVENT = /^(?:breadth|node)_incident_(opened|confirmed|released|closed)$/;

/** The incident's event for the ledger, with the incident as it is now. */
function incidentUpdate({ detail, eventUs }: Effects['outbox'][number], draft: Draft): IncidentUpdate[] {
  const change = INCIDENT_EVENT.exec(detail.event)?.[1] as IncidentUpdate['change'] | undefined;
  if (change === undefined) return [];
  const incident = fleetOf(draft).incidents.find(({ id }) => id === detail.incident);
  return incident === undefined ? [] : [incidentUpdateOf(incident, change, eventUs)];
}

/** Why an operator decided about it stands in place of why it was opened. */
function incidentUpdateOf(incident: Incident, change: IncidentUpdate['change'], timeUs: number): IncidentUpdate {
  const { id, pattern, cohort, node, actor, injected } = incident;
  const decided = change === 'confirmed' || change === 'released';
  const reason = decided ? incident.actorReason : incident.reason;
  const family = cohort === '' ? '' : familyName(parseCohort(cohort).family);
  const by = decided ? actor : '';
  return { kind: 'incident', incident: id, change, pattern, family, node, reason, actor: by, injected, timeUs };
}

function directiveUpdate(directive: Effects['fleetDirectives'][number]): DirectiveUpdate {
  const { id, action, gpu, node, reason, actor, injected, timeUs } = directive;
  return { kind: 'directive', id, action, gpu, node, reason, actor, injected, timeUs };
}
