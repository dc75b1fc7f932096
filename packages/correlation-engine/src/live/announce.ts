import type { Bus } from '../bus/bus.js';
import type { DirectiveUpdate, IncidentUpdate, LiveUpdate, StateUpdate } from '../bus/live-updates.js';
import { type Draft, type Effects, familyName, type Incident, parseCohort, type TransitionEffect } from '../core.js';
import { deviceOf, fleetOf } from '../evidence/draft.js';

/** Tells readers of a transaction as one: they have room for so many transactions, whatever each of them holds. */
export function publish(
  bus: Pick<Bus, 'publish'>,
  commitSeq: number,
  records: readonly { readonly updates: readonly LiveUpdate[] }[],
): void {
  const updates = records.flatMap((record) => record.updates);
  if (updates.length > 0) bus.publish({ commitSeq, updates });
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
