import { censusOf, cohortOf } from './cohorts.js';
import { configOf, editFleet, fleetOf } from './draft.js';
import type { ObservationEffect } from './effects.js';
import { familyName } from './families.js';
import { BREADTH_KEEP_US, breadthOf, incidentGoesOn } from './gates/breadth.js';
import { type BreadthEntry, type DeviceState, RunKind } from './model.js';
import { emit, type Step } from './step.js';

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
  if (before === undefined) declareIfIncident(step, cohort, entries, observation);
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

function declareIfIncident(
  step: Step,
  cohort: string,
  entries: readonly BreadthEntry[],
  observation: ObservationEffect,
): void {
  const { nowUs } = step.ctx;
  if (fleetOf(step.draft).incidents[cohort] !== undefined) return;
  const breadth = breadthOf(entries, censusOf(step.draft, cohort).devices, configOf(step.draft).gates, nowUs);
  if (!breadth.incident) return;
  editFleet(step.draft).incidents[cohort] = nowUs;
  emit(
    step,
    'DECISION',
    { gpu: '', eventUs: observation.timeUs, injected: observation.injected },
    {
      event: 'breadth_incident_opened',
      cohort,
      family: familyName(observation.family),
      nodes: entries.map((entry) => entry.node).sort(),
      poisson_tail: breadth.tail.toExponential(3),
    },
  );
}

/** Closes the incidents whose nodes have fallen quiet. */
export function closeQuietIncidents(step: Step): void {
  const { nowUs } = step.ctx;
  const { gates } = configOf(step.draft);
  for (const cohort of Object.keys(fleetOf(step.draft).incidents).sort()) {
    if (incidentGoesOn(fleetOf(step.draft), cohort, gates, nowUs)) continue;
    delete editFleet(step.draft).incidents[cohort];
    emit(step, 'DECISION', { gpu: '', eventUs: nowUs, injected: false }, { event: 'breadth_incident_closed', cohort });
  }
}
