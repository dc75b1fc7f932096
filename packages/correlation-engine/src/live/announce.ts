import type { DirectiveUpdate, IncidentUpdate, LiveUpdate, LiveUpdates, StateUpdate } from '../bus/live-updates.js';
import type { Group, Logged } from '../commit/group.js';
import {
  type CoreState,
  type FleetDirective,
  familyName,
  type Incident,
  type OutboxEvent,
  parseCohort,
  type TransitionEffect,
} from '../core.js';

/** What operators are told of a transaction, record by record. `state` shows it. */
export function announcements({ logged, rows }: Group, state: CoreState): LiveUpdates[] {
  const { nowUs } = rows.to;
  return logged
    .map((record) => ({ commitSeq: record.commitSeq, nowUs, updates: updatesOf(record, state) }))
    .filter(({ updates }) => updates.length > 0);
}

function updatesOf({ effects }: Logged, state: CoreState): LiveUpdate[] {
  return [
    ...effects.transitions.map((transition) => stateUpdate(transition, state)),
    ...effects.outbox.flatMap((event) => incidentUpdate(event, state)),
    ...effects.fleetDirectives.map(directiveUpdate),
  ];
}

function stateUpdate(transition: TransitionEffect, state: CoreState): StateUpdate {
  const { deviceId: gpu, from, to, reason, actor, injected, timeUs } = transition;
  return { kind: 'state', gpu, node: state.devices.get(gpu)?.node ?? '', from, to, reason, actor, injected, timeUs };
}

const INCIDENT_EVENT = /^(?:breadth|node)_incident_(opened|confirmed|released|closed)$/;

/** The incident's event for the ledger, with the incident as it is now. */
function incidentUpdate({ detail, eventUs }: OutboxEvent, state: CoreState): IncidentUpdate[] {
  const change = INCIDENT_EVENT.exec(detail.event)?.[1] as IncidentUpdate['change'] | undefined;
  const incident = state.fleet.incidents.find(({ id }) => id === detail.incident);
  if (change === undefined || incident === undefined) return [];
  return [incidentUpdateOf(incident, change, eventUs)];
}

/** Why an operator decided about it stands in place of why it was opened. */
export function incidentUpdateOf(incident: Incident, change: IncidentUpdate['change'], timeUs: number): IncidentUpdate {
  const { id, pattern, cohort, node, actor, injected } = incident;
  const decided = change === 'confirmed' || change === 'released';
  const reason = decided ? incident.actorReason : incident.reason;
  const family = cohort === '' ? '' : familyName(parseCohort(cohort).family);
  const by = decided ? actor : '';
  return { kind: 'incident', incident: id, change, pattern, family, node, reason, actor: by, injected, timeUs };
}

function directiveUpdate(directive: FleetDirective): DirectiveUpdate {
  const { id, action, gpu, node, reason, actor, injected, timeUs } = directive;
  return { kind: 'directive', id, action, gpu, node, reason, actor, injected, timeUs };
}
