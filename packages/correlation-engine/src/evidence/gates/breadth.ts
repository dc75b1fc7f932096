import type { Census } from '../census.js';
import { cohortOf } from '../cohorts.js';
import { configOf, type Draft, fleetOf, nodeCount } from '../draft.js';
import { failuresOf } from '../failing.js';
import { familyName } from '../families.js';
import type { DeviceState } from '../model/device.js';
import type { CohortFailures, Incident } from '../model/fleet.js';
import type { CoreConfig } from '../model/settings.js';
import type { Family } from '../model/terms.js';
import { isMinority } from '../votes.js';
import type { GateAnswer } from './outcome.js';

const HOUR_US = 3_600_000_000;
const BREADTH_WINDOWS_US = [HOUR_US, 24 * HOUR_US, 168 * HOUR_US] as const;
const WEEK_HOURS = 168;
const HOURS_PER_YEAR = 8766;
/** Independent defects are allowed for at twice their prior rate. */
const DEFECT_ALLOWANCE = 2;

/** P(X >= k) of a Poisson variable of mean `mu`. The tail itself is summed, because 1 - P(X < k) loses small tails. */
export function poissonTail(k: number, mu: number): number {
  if (mu <= 0) return k <= 0 ? 1 : 0;
  let term = Math.exp(-mu);
  for (let i = 1; i <= k; i += 1) term *= mu / i;
  let tail = 0;
  for (let i = k; term > 0 && (i < mu || term > tail * 1e-17); i += 1) {
    tail += term;
    term *= mu / (i + 1);
  }
  return Math.min(1, tail);
}

/** What is counted: nodes with a first mismatch, or with a second one, which chance hardly gives. */
type Measure = 'first mismatch' | 'second mismatch';

export interface Breadth {
  incident: boolean;
  /** Distinct newly failing nodes in the window that speaks loudest, its width and its tail. */
  nodes: number;
  measure: Measure;
  windowUs: number;
  tail: number;
  expected: number;
}

/**
 * Is the number of newly failing nodes of one (cohort, family) more than independent defects and passing faults explain? Nodes
 * that fail once are many where passing faults are frequent; nodes that fail again are few, and speak the sooner.
 */
export function breadthOf(failures: CohortFailures, cohortDevices: number, config: CoreConfig, nowUs: number): Breadth {
  const { breadth_nodes: needed, breadth_poisson_tail: limit } = config.gates;
  let loudest: Breadth | undefined;
  for (const measure of ['first mismatch', 'second mismatch'] as const) {
    const perHour = cohortDevices * expectedPerHour(failures, config, measure);
    const counts = newlyFailing(failures, measure, nowUs);
    for (const [i, windowUs] of BREADTH_WINDOWS_US.entries()) {
      const nodes = counts[i] ?? 0;
      const expected = (perHour * windowUs) / HOUR_US;
      const tail = poissonTail(nodes, expected);
      const incident = nodes >= needed && tail < limit;
      const louder = loudest === undefined || (incident === loudest.incident ? tail < loudest.tail : incident);
      if (louder) loudest = { incident, nodes, measure, windowUs, tail, expected };
    }
  }
  return loudest as Breadth;
}

/** Nodes in each of the windows, in one pass over them. */
function newlyFailing({ nodes, releasedUs }: CohortFailures, measure: Measure, nowUs: number): number[] {
  const counts = BREADTH_WINDOWS_US.map(() => 0);
  for (const { newUs, againUs } of nodes) {
    const us = measure === 'first mismatch' ? newUs : againUs;
    if (us === null || newUs <= releasedUs) continue;
    BREADTH_WINDOWS_US.forEach((windowUs, i) => {
      if (us > Math.max(nowUs - windowUs, releasedUs)) counts[i] = (counts[i] ?? 0) + 1;
    });
  }
  return counts;
}

/** Of one device. Two passing faults fall on one node within a week as often as their rates say. */
function expectedPerHour(
  { chancePerHour, devicesPerNode }: CohortFailures,
  config: CoreConfig,
  measure: Measure,
): number {
  const defects = (DEFECT_ALLOWANCE * config.attribution.unit_defects_per_gpu_year) / HOURS_PER_YEAR;
  if (measure === 'first mismatch') return defects + chancePerHour;
  return defects + chancePerHour * Math.min(1, chancePerHour * devicesPerNode * WEEK_HOURS);
}

/** By cohort, of a list of incidents. Lists are replaced, never changed. */
const byCohort = new WeakMap<readonly Incident[], ReadonlyMap<string, Incident>>();

/** The incident that holds quarantines of this (cohort, family). O(1), however many incidents there are. */
export function incidentOfCohort(draft: Draft, cohort: string): Incident | undefined {
  const { incidents } = fleetOf(draft);
  let index = byCohort.get(incidents);
  if (index === undefined) {
    index = new Map(incidents.filter(({ endedUs }) => endedUs === null).map((entry) => [entry.cohort, entry]));
    byCohort.set(incidents, index);
  }
  return cohort === '' ? undefined : index.get(cohort);
}

/** Gate 5 for each of the families; which of them may still accuse. */
export function breadthGate(
  draft: Draft,
  censusOf: (cohort: string) => Census,
  device: DeviceState,
  families: readonly Family[],
  nowUs: number,
): GateAnswer & { accusing: Family[] } {
  const nodes = nodeCount(draft);
  const config = configOf(draft);
  const needed = config.gates.breadth_nodes;
  const inputs: Record<string, string> = { registered_nodes: String(nodes), nodes_needed: String(needed) };
  if (nodes < needed) {
    const reason = `The fleet has ${nodes} of the ${needed} nodes that an incident needs, so breadth says nothing.`;
    return { verdict: 'NOT_EVALUABLE', reason, inputs, accusing: [...families] };
  }
  const accusing: Family[] = [];
  const reasons: string[] = [];
  for (const family of families) {
    const key = cohortOf(device, family);
    const failures = failuresOf(draft, key);
    const breadth = breadthOf(failures, censusOf(key).devices, config, nowUs);
    const known = incidentOfCohort(draft, key);
    const incident = breadth.incident || known !== undefined;
    const minority = incident && differsFromModalDigest(failures, device, family);
    const name = familyName(family);
    inputs[`${name}_newly_failing_nodes`] = `${breadth.nodes} in ${breadth.windowUs / HOUR_US} h (${breadth.measure})`;
    inputs[`${name}_expected`] = breadth.expected.toExponential(2);
    inputs[`${name}_poisson_tail`] = breadth.tail.toExponential(2);
    inputs[`${name}_incident`] = known?.id ?? (incident ? 'due' : 'none');
    reasons.push(sentence(name, breadth, incident, minority));
    if (!incident || minority) accusing.push(family);
  }
  return { verdict: accusing.length > 0 ? 'PASS' : 'HOLD', reason: reasons.join(' '), inputs, accusing };
}

/** A device that fails in its own way is not part of the incident: for the same seed nearly all other failing nodes gave another wrong digest. */
export function differsFromModalDigest({ votes }: CohortFailures, device: DeviceState, family: Family): boolean {
  return device.units.some(
    (unit) => unit.family === family && unit.counted > 0 && unit.epoch !== 0 && isMinority(votes, unit, unit.digest),
  );
}

function sentence(name: string, breadth: Breadth, incident: boolean, minority: boolean): string {
  const again = breadth.measure === 'second mismatch' ? ' more than once' : '';
  const what = `${breadth.nodes} node${breadth.nodes === 1 ? '' : 's'} newly failed ${name}${again} within ${breadth.windowUs / HOUR_US} h (${breadth.expected.toExponential(1)} expected)`;
  if (!incident) return `${what}: no incident.`;
  return minority
    ? `${what}: an incident, but this device fails with another digest than the rest.`
    : `${what}: an incident of ${name} is open, a fault of software or of the fleet, not of this device.`;
}
