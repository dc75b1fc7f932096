import { hash } from 'node:crypto';
import { censusOf } from './census.js';
import { cohortOf, familyOfCohort } from './cohorts.js';
import { configOf, deviceOf, editFleet, editNode, fleetOf } from './draft.js';
import type { JsonValue, ObservationEffect } from './effects.js';
import { accuseAgain, excuseAll, excuseForGood } from './excuse.js';
import { failuresOf, noteFailure } from './failing.js';
import { familyName } from './families.js';
import { type Breadth, breadthOf, incidentOfCohort } from './gates/breadth.js';
import { incidentEndUs } from './incident-end.js';
import type { DeviceState } from './model/device.js';
import type { Incident, IncidentPattern } from './model/fleet.js';
import { emit, forget, type Step } from './step.js';
import { modalDigest } from './votes.js';

/** Nodes named in an incident; the rest are counted. */
const MAX_NODES_NAMED = 64;
/** Incidents that hold at a time: beyond, the gates hold without one. */
export const MAX_ACTIVE_INCIDENTS = 512;
/** Incidents that ended and stay visible; the audit ledger has them all. */
export const MAX_ENDED_INCIDENTS = 64;

/** Notes that a node failed in a (cohort, family), and opens an incident when too many nodes newly did. */
export function noteFailingNode(step: Step, device: DeviceState, observation: ObservationEffect): void {
  const cohort = cohortOf(device, observation.family);
  if (cohort === '') return;
  const { isNew, isAgain } = noteFailure(step, device, cohort, observation);
  if (!isNew && !isAgain) return;
  const open = incidentOfCohort(step.draft, cohort);
  if (open === undefined) openIfIncident(step, cohort, observation);
  else if (isNew) join(step, open.id, observation);
}

/** Nobody is paged again: the incident only grows. */
function join(step: Step, id: string, { node, injected }: ObservationEffect): void {
  changeIncident(step, id, (incident) => ({
    nodeCount: incident.nodeCount + 1,
    nodes: [...incident.nodes, node].slice(0, MAX_NODES_NAMED),
    injected: incident.injected || injected,
  }));
}

/** Other settings may make an incident of what is known already. */
export function declareIncidents(step: Step): void {
  const cause = { timeUs: step.ctx.nowUs, injected: false };
  for (const cohort of Object.keys(fleetOf(step.draft).failing).sort())
    if (incidentOfCohort(step.draft, cohort) === undefined) openIfIncident(step, cohort, cause);
}

interface OpeningCause {
  timeUs: number;
  injected: boolean;
}

function openIfIncident(step: Step, cohort: string, cause: OpeningCause): void {
  const { nowUs } = step.ctx;
  const failures = failuresOf(step.draft, cohort);
  const breadth = breadthOf(failures, censusOf(step.draft, cohort).devices, configOf(step.draft), nowUs);
  if (!breadth.incident) return;
  const nodes = failures.nodes.filter(({ newUs }) => newUs > failures.releasedUs).map(({ node }) => node);
  const reason = `${nodes.length} nodes newly failed ${familyName(familyOfCohort(cohort))}, ${breadth.nodes} of them within ${hoursOf(breadth)} h, where independent defects let ${breadth.expected.toExponential(1)} expect.`;
  openIncident(
    step,
    { pattern: 'PROBE_OR_SOFTWARE', cohort, node: '', nodes: nodes.sort(), devices: [], reason, cordoned: false },
    cause,
    { poisson_tail: breadth.tail.toExponential(3), window_hours: hoursOf(breadth), measure: breadth.measure },
  );
}

function hoursOf({ windowUs }: Breadth): number {
  return windowUs / 3_600_000_000;
}

export type Opening = Pick<Incident, 'pattern' | 'cohort' | 'node' | 'nodes' | 'devices' | 'reason' | 'cordoned'>;

/** The one event that pages. */
export function openIncident(
  step: Step,
  opening: Opening,
  cause: OpeningCause,
  facts: Record<string, JsonValue> = {},
): Incident | undefined {
  const fleet = editFleet(step.draft);
  if (fleet.incidents.filter(({ endedUs }) => endedUs === null).length >= MAX_ACTIVE_INCIDENTS) {
    forget(step, 'incident');
    return undefined;
  }
  const incident: Incident = {
    ...opening,
    id: incidentId(step, opening),
    state: 'OPEN',
    openedUs: step.ctx.nowUs,
    endedUs: null,
    nodeCount: opening.nodes.length,
    nodes: opening.nodes.slice(0, MAX_NODES_NAMED),
    modalDigest: null,
    injected: cause.injected,
    actor: '',
    actorReason: '',
  };
  fleet.incidents = [incident, ...fleet.incidents];
  say(step, incident, 'opened', { nodes: incident.nodes, devices: incident.devices, ...facts }, cause.timeUs);
  return incident;
}

function incidentId(step: Step, { cohort, node }: Opening): string {
  return `incident-${hash('sha256', JSON.stringify([step.ctx.commitSeq, cohort, node])).slice(0, 16)}`;
}

const EVENTS: Readonly<Record<IncidentPattern, string>> = {
  PROBE_OR_SOFTWARE: 'breadth_incident',
  NODE_CORRELATED: 'node_incident',
};

function say(
  step: Step,
  incident: Incident,
  what: 'opened' | 'confirmed' | 'released' | 'closed',
  facts: Record<string, JsonValue>,
  eventUs = step.ctx.nowUs,
): void {
  const { id, pattern, cohort, node, nodeCount, reason, actor, actorReason, injected } = incident;
  const about =
    pattern === 'NODE_CORRELATED'
      ? { node }
      : { cohort, family: familyName(familyOfCohort(cohort)), node_count: nodeCount };
  const by = actor === '' ? {} : { actor, actor_reason: actorReason };
  const event = `${EVENTS[pattern]}_${what}`;
  emit(
    step,
    'DECISION',
    { gpu: '', eventUs, injected },
    { event, incident: id, pattern, ...about, reason, ...by, ...facts },
  );
}

/** Replaces an incident by one with changes, and returns it. @throws RangeError where there is none */
export function changeIncident(step: Step, id: string, changes: (before: Incident) => Partial<Incident>): Incident {
  const fleet = editFleet(step.draft);
  const at = fleet.incidents.findIndex((entry) => entry.id === id);
  const before = fleet.incidents[at];
  if (before === undefined) throw new RangeError(`no incident ${id}`);
  const incident = { ...before, ...changes(before) };
  fleet.incidents = fleet.incidents.with(at, incident);
  return incident;
}

/** An operator agrees that it is no fault of the devices: what it explains does not count against them, now and until it ends. */
export function confirmIncident(step: Step, id: string, order: { actor: string; reason: string }): void {
  const incident = changeIncident(step, id, () => ({
    state: 'CONFIRMED',
    actor: order.actor,
    actorReason: order.reason,
  }));
  const excused = excuseAll(step, incident);
  say(step, incident, 'confirmed', { devices_excused: excused });
}

/** An operator says that the devices are at fault: nothing of what failed until now speaks for an incident any more. */
export function releaseIncident(step: Step, id: string, order: { actor: string; reason: string }): void {
  const incident = end(step, id, { state: 'RELEASED', actor: order.actor, actorReason: order.reason });
  const accused = accuseAgain(step, incident);
  const { nowUs } = step.ctx;
  if (incident.pattern === 'NODE_CORRELATED') {
    editNode(step.draft, incident.node).released = { untilUs: nowUs, devices: [...incident.devices] };
  } else
    editFleet(step.draft).failing[incident.cohort] = { ...failuresOf(step.draft, incident.cohort), releasedUs: nowUs };
  say(step, incident, 'released', { devices_accused_again: accused });
}

function end(step: Step, id: string, how: Partial<Incident> & { state: 'RELEASED' | 'CLOSED' }): Incident {
  const incident = changeIncident(step, id, ({ cohort }) => ({
    ...how,
    endedUs: step.ctx.nowUs,
    modalDigest: modalDigest(failuresOf(step.draft, cohort).votes),
  }));
  const fleet = editFleet(step.draft);
  const active = fleet.incidents.filter(({ endedUs }) => endedUs === null);
  const ended = fleet.incidents.filter(({ endedUs }) => endedUs !== null);
  ended.sort((a, b) => (b.endedUs ?? 0) - (a.endedUs ?? 0));
  forget(step, 'ended_incident', ended.length - MAX_ENDED_INCIDENTS);
  fleet.incidents = [...active, ...ended.slice(0, MAX_ENDED_INCIDENTS)];
  return incident;
}

/** Closes the incidents that have fallen quiet, and returns them. */
export function closeQuietIncidents(step: Step): Incident[] {
  const { draft, ctx } = step;
  const { gates } = configOf(draft);
  const quiet = fleetOf(draft).incidents.filter(
    (incident) =>
      incident.endedUs === null &&
      incidentEndUs(incident, fleetOf(draft), gates, (id) => deviceOf(draft, id)) <= ctx.nowUs,
  );
  return quiet.map((open) => {
    const excused = excuseForGood(step, open);
    const incident = end(step, open.id, { state: 'CLOSED' });
    say(step, incident, 'closed', { devices_excused: excused });
    return incident;
  });
}

/** The devices themselves are the better explanation after all: what they showed counts against them. */
export function withdrawIncident(step: Step, id: string, reason: string): void {
  const incident = end(step, id, { state: 'CLOSED' });
  say(step, incident, 'closed', { devices_excused: 0, why: reason });
}
