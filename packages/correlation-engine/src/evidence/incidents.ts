import { censusOf, cohortOf, familyOfCohort } from './cohorts.js';
import { attentiveIds, configOf, deviceOf, editDevice, editFleet, fleetOf } from './draft.js';
import type { ObservationEffect } from './effects.js';
import { familyName } from './families.js';
import { breadthOf, differsFromModalDigest } from './gates/breadth.js';
import { BREADTH_KEEP_US, incidentEndUs } from './incident-end.js';
import { type BreadthEntry, type DeviceState, RunKind } from './model.js';
import { emit, type Step } from './step.js';

/** Nodes named in the ledger entry of an incident; the rest are counted. */
const MAX_NODES_IN_DETAIL = 64;

/** Notes that a node failed in a (cohort, family), and declares a breadth incident when too many nodes newly did. */
export function noteFailingNode(step: Step, device: DeviceState, observation: ObservationEffect): void {
  const cohort = cohortOf(device, observation.family);
  if (cohort === '') return;
  const kept = (fleetOf(step.draft).breadth[cohort] ?? []).filter(
    (entry) => entry.lastUs > step.ctx.nowUs - BREADTH_KEEP_US,
  );
  const before = kept.find((entry) => entry.node === observation.node);
  const entries = [...kept.filter((entry) => entry !== before), updatedEntry(before, observation)];
  editFleet(step.draft).breadth[cohort] = entries;
  if (before === undefined) declareIfIncident(step, cohort, observation);
}

function updatedEntry(before: BreadthEntry | undefined, observation: ObservationEffect): BreadthEntry {
  const { node, timeUs } = observation;
  const entry =
    before === undefined ? { node, newUs: timeUs, lastUs: timeUs, epoch: 0, index: 0, digest: 0 } : { ...before };
  entry.lastUs = Math.max(entry.lastUs, timeUs);
  if (observation.kind === RunKind.SCHEDULED) {
    entry.epoch = observation.epoch;
    entry.index = observation.index;
    entry.digest = observation.actualDigest;
  }
  return entry;
}

/** Other settings may make an incident of what is known already. */
export function declareIncidents(step: Step): void {
  const cause = { timeUs: step.ctx.nowUs, injected: false };
  for (const cohort of Object.keys(fleetOf(step.draft).breadth).sort()) declareIfIncident(step, cohort, cause);
}

function declareIfIncident(step: Step, cohort: string, cause: { timeUs: number; injected: boolean }): void {
  const { nowUs } = step.ctx;
  const { incidents, breadth } = fleetOf(step.draft);
  const entries = breadth[cohort] ?? [];
  if (incidents[cohort] !== undefined) return;
  const { incident, tail } = breadthOf(
    entries,
    censusOf(step.draft, cohort).devices,
    configOf(step.draft).gates,
    nowUs,
  );
  if (!incident) return;
  editFleet(step.draft).incidents[cohort] = nowUs;
  const subject = { gpu: '', eventUs: cause.timeUs, injected: cause.injected };
  emit(step, 'DECISION', subject, {
    event: 'breadth_incident_opened',
    cohort,
    family: familyName(familyOfCohort(cohort)),
    nodes: entries
      .map((entry) => entry.node)
      .sort()
      .slice(0, MAX_NODES_IN_DETAIL),
    node_count: entries.length,
    poisson_tail: tail.toExponential(3),
  });
}

/** Closes the incidents whose nodes have fallen quiet. Were there any? */
export function closeQuietIncidents(step: Step): boolean {
  const { nowUs } = step.ctx;
  const { gates } = configOf(step.draft);
  const cohorts = Object.keys(fleetOf(step.draft).incidents).sort();
  const quiet = cohorts.filter((cohort) => incidentEndUs(fleetOf(step.draft), cohort, gates) <= nowUs);
  for (const cohort of quiet) {
    delete editFleet(step.draft).incidents[cohort];
    for (const id of attentiveIds(step.draft)) excuse(step, id, cohort);
    emit(step, 'DECISION', { gpu: '', eventUs: nowUs, injected: false }, { event: 'breadth_incident_closed', cohort });
  }
  return quiet.length > 0;
}

/**
 * What the incident explains does not count against a device once the incident is over; otherwise its end would quarantine
 * everything that it held. The device stays a suspect until its units ran cleanly, and new mismatches count again.
 */
function excuse(step: Step, id: string, cohort: string): void {
  const known = deviceOf(step.draft, id);
  const family = known?.families.find((entry) => entry.cohort === cohort)?.family;
  if (known?.state !== 'SUSPECT' || family === undefined) return;
  if (differsFromModalDigest(fleetOf(step.draft).breadth[cohort] ?? [], known, family)) return;
  for (const unit of editDevice(step.draft, id).units) {
    if (unit.family !== family) continue;
    unit.excused += unit.counted;
    unit.counted = 0;
    unit.answers = 0;
    unit.accused = 0;
    unit.consecutive = 0;
    unit.posterior = null;
  }
}
