import { configOf, type Draft, deviceOf, fleetOf, nodeOf } from '../draft.js';
import { exposureOf } from '../exposure.js';
import type { DeviceState } from '../model/device.js';
import type { Incident } from '../model/fleet.js';
import { healthyRate } from '../posterior/rates.js';
import { totalsOf } from '../unit-totals.js';
import { poissonTail } from './breadth.js';
import type { GateAnswer } from './outcome.js';

/** How long a mismatch of a node mate speaks against the node. */
export const NODE_WINDOW_US = 7 * 86_400_000_000;

export interface NodeAnswer extends GateAnswer {
  /** Devices whose mismatches speak against the node, if it is at fault rather than they; [] = it is not. */
  attributed: string[];
  dueUs: number | null;
}

/**
 * Gate 6: is it the node (power, memory, software) rather than this device? It takes mismatches on two devices or more, and more
 * of them than a defect of one device together with passing faults of the others explains.
 */
export function nodeGate(draft: Draft, device: DeviceState, nowUs: number): NodeAnswer {
  const open = incidentOfNode(draft, device.node);
  const all = devicesOfNode(draft, device);
  const failing = all.filter((mate) => speaksAgainstNode(draft, mate, nowUs));
  // A device that was taken out says nothing for the node, but its failures still speak against it.
  const count = all.filter((mate) => mate === device || mate.announced || failing.includes(mate)).length;
  const inputs = {
    node: device.node,
    devices_on_node: String(count),
    devices_with_mismatches: String(failing.length),
    node_incident: open?.id ?? 'none',
  };
  const dueUs = nextQuietUs(failing, nowUs);
  if (open !== undefined) {
    const reason = `A fault of the node is suspected since ${failing.length} of its ${count} devices had mismatches: not this device.`;
    return { verdict: 'HOLD', reason, inputs, attributed: failing.map(({ id }) => id), dueUs };
  }
  if (count === 1) {
    const reason = 'The node has one device, so a fault of the node cannot be told from one of the device.';
    return { verdict: 'NOT_EVALUABLE', reason, inputs, attributed: [], dueUs: null };
  }
  const others = failing.filter((mate) => mate !== device);
  if (others.length === 0 || failing.length < 2) {
    const reason = `No other of the ${count} devices of the node had a mismatch in 7 days.`;
    return { verdict: 'PASS', reason, inputs, attributed: [], dueUs: null };
  }
  const odds = oddsOfNode(draft, all, failing);
  const needed = configOf(draft).attribution.quarantine_odds;
  const weighed = { ...inputs, odds_of_the_node: odds.toExponential(2), odds_needed: String(needed) };
  const what = `${failing.length} of the ${count} devices of the node had mismatches in 7 days`;
  if (odds < needed) {
    const reason = `${what}, no more than a defect of one and passing faults of the others explain.`;
    return { verdict: 'PASS', reason, inputs: weighed, attributed: [], dueUs };
  }
  const reason = `${what}: the node is suspected, not the device.`;
  return { verdict: 'HOLD', reason, inputs: weighed, attributed: failing.map(({ id }) => id), dueUs };
}

/** The incident that holds quarantines of this node's devices. */
export function incidentOfNode(draft: Draft, node: string): Incident | undefined {
  return fleetOf(draft).incidents.find((incident) => incident.node === node && incident.endedUs === null);
}

function devicesOfNode(draft: Draft, device: DeviceState): DeviceState[] {
  const ids = nodeOf(draft, device.node)?.deviceIds ?? [device.id];
  return ids.flatMap((id) => (id === device.id ? device : (deviceOf(draft, id) ?? [])));
}

function speaksAgainstNode(draft: Draft, mate: DeviceState, nowUs: number): boolean {
  const released = nodeOf(draft, mate.node)?.released;
  if (released !== undefined && nowUs < released.untilUs + NODE_WINDOW_US && released.devices.includes(mate.id))
    return false;
  return mate.lastObservationUs !== null && nowUs < mate.lastObservationUs + NODE_WINDOW_US && mismatchesOf(mate) > 0;
}

function mismatchesOf(device: DeviceState): number {
  return totalsOf(device.units).counted;
}

function nextQuietUs(failing: readonly DeviceState[], nowUs: number): number | null {
  const ends = failing.map((mate) => (mate.lastObservationUs ?? nowUs) + NODE_WINDOW_US);
  return ends.length === 0 ? null : Math.min(...ends);
}

const WEEKS_PER_YEAR = 8766 / 168;

/**
 * Odds of a fault of the node against this: the device that fails most has a defect of its own, or a passing fault if it failed
 * but once, and what the others showed within the same 7 days is chance.
 */
function oddsOfNode(draft: Draft, all: readonly DeviceState[], failing: readonly DeviceState[]): number {
  const { node_faults_per_node_year, unit_defects_per_gpu_year, gpu_defects_per_gpu_year } =
    configOf(draft).attribution;
  const [first, ...others] = failing.toSorted((a, b) => mismatchesOf(b) - mismatchesOf(a));
  if (first === undefined) return 0;
  const chances = new Map(all.map((mate) => [mate, chancePerWeek(draft, mate)]));
  const chance = [...chances.values()].reduce((sum, one) => sum + one, 0);
  const defects = all.length * (unit_defects_per_gpu_year + gpu_defects_per_gpu_year);
  const firstPerYear = mismatchesOf(first) > 1 ? defects : defects + chance * WEEKS_PER_YEAR;
  const rest = others.reduce((sum, mate) => sum + mismatchesOf(mate), 0);
  const tail = poissonTail(rest, chance - (chances.get(first) ?? 0));
  return node_faults_per_node_year / (firstPerYear * Math.max(tail, 1e-12));
}

/** Passing faults that a healthy device of this cohort would show in 7 days, from what it runs. */
function chancePerWeek(draft: Draft, device: DeviceState): number {
  let sum = 0;
  for (const { family } of device.families) {
    const ran = exposureOf(draft, device.id, family);
    if (ran === undefined) continue;
    const weeks = Math.max(1, (ran.lastRunUs - ran.firstRunUs) / NODE_WINDOW_US);
    sum += (healthyRate(draft, device, family) * ran.executions) / weeks;
  }
  return sum;
}
