import { type Census, cohortOf } from '../cohorts.js';
import { type Draft, fleetOf, nodeCount } from '../draft.js';
import { familyName } from '../families.js';
import type { BreadthEntry, DeviceState, Family, GateSettings } from '../model.js';
import type { GateAnswer } from './outcome.js';

const HOUR_US = 3_600_000_000;
const BREADTH_WINDOWS_US = [HOUR_US, 24 * HOUR_US, 168 * HOUR_US] as const;
const YEAR_US = 365.25 * 24 * HOUR_US;
/** Nodes expected to newly fail one (cohort, family) by independent defects: twice the prior rate of new defects per device. */
const NEW_FAILURES_PER_DEVICE_YEAR = 2e-3;

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

export interface Breadth {
  incident: boolean;
  /** Distinct newly failing nodes in the window that speaks loudest, its width and its tail. */
  nodes: number;
  windowUs: number;
  tail: number;
  expected: number;
}

/** Is the number of newly failing nodes of one (cohort, family) more than independent defects explain? */
export function breadthOf(
  entries: readonly BreadthEntry[],
  cohortDevices: number,
  settings: GateSettings,
  nowUs: number,
): Breadth {
  let loudest: Breadth = { incident: false, nodes: 0, windowUs: BREADTH_WINDOWS_US[0], tail: 1, expected: 0 };
  for (const windowUs of BREADTH_WINDOWS_US) {
    const nodes = entries.filter((entry) => entry.newUs > nowUs - windowUs).length;
    const expected = (cohortDevices * NEW_FAILURES_PER_DEVICE_YEAR * windowUs) / YEAR_US;
    const tail = poissonTail(nodes, expected);
    const incident = nodes >= settings.breadth_nodes && tail < settings.breadth_poisson_tail;
    const louder = incident === loudest.incident ? tail < loudest.tail : incident;
    if (louder) loudest = { incident, nodes, windowUs, tail, expected };
  }
  return loudest;
}

/** Gate 5 for each of the families; which of them may still accuse. */
export function breadthGate(
  draft: Draft,
  censusOf: (cohort: string) => Census,
  settings: GateSettings,
  device: DeviceState,
  families: readonly Family[],
  nowUs: number,
): GateAnswer & { accusing: Family[] } {
  const nodes = nodeCount(draft);
  if (nodes < settings.breadth_nodes) {
    const reason = `The fleet has ${nodes} of the ${settings.breadth_nodes} nodes that an incident needs, so breadth says nothing.`;
    return {
      verdict: 'NOT_EVALUABLE',
      reason,
      inputs: { registered_nodes: String(nodes) },
      accusing: [...families],
    };
  }
  const inputs: Record<string, string> = { registered_nodes: String(nodes) };
  const accusing: Family[] = [];
  const reasons: string[] = [];
  for (const family of families) {
    const key = cohortOf(device, family);
    const entries = fleetOf(draft).breadth[key] ?? [];
    const breadth = breadthOf(entries, censusOf(key).devices, settings, nowUs);
    const incident = breadth.incident || fleetOf(draft).incidents[key] !== undefined;
    const minority = incident && differsFromModalDigest(entries, device, family);
    const name = familyName(family);
    inputs[`${name}_newly_failing_nodes`] = `${breadth.nodes} in ${breadth.windowUs / HOUR_US} h`;
    inputs[`${name}_expected`] = breadth.expected.toExponential(2);
    inputs[`${name}_poisson_tail`] = breadth.tail.toExponential(2);
    inputs[`${name}_incident`] = incident ? 'open' : 'none';
    reasons.push(sentence(name, breadth, incident, minority));
    if (!incident || minority) accusing.push(family);
  }
  return { verdict: accusing.length > 0 ? 'PASS' : 'HOLD', reason: reasons.join(' '), inputs, accusing };
}

/** A device that fails in its own way is not part of the incident: it gave another digest for a seed than the majority of the failing nodes. */
export function differsFromModalDigest(entries: readonly BreadthEntry[], device: DeviceState, family: Family): boolean {
  return device.units.some((unit) => {
    if (unit.family !== family || unit.counted === 0 || unit.epoch === 0) return false;
    const others = entries.filter(
      (entry) => entry.node !== device.node && entry.epoch === unit.epoch && entry.index === unit.index,
    );
    const votes = new Map<number, number>();
    for (const entry of others) votes.set(entry.digest, (votes.get(entry.digest) ?? 0) + 1);
    return [...votes].some(([digest, count]) => count >= 2 && count * 2 > others.length && digest !== unit.digest);
  });
}

function sentence(name: string, breadth: Breadth, incident: boolean, minority: boolean): string {
  const what = `${breadth.nodes} node${breadth.nodes === 1 ? '' : 's'} newly failed ${name} within ${breadth.windowUs / HOUR_US} h (${breadth.expected.toExponential(1)} expected)`;
  if (!incident) return `${what}: no incident.`;
  return minority
    ? `${what}: an incident, but this device fails with another digest than the rest.`
    : `${what}: an incident of ${name} is open, a fault of software or of the fleet, not of this device.`;
}
