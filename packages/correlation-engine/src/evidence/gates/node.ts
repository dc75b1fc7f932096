import { configOf, type Draft, fleetOf } from '../draft.js';
import type { DeviceState } from '../model/device.js';
import type { Incident } from '../model/fleet.js';
import { NODE_WINDOW_US, nodeFault } from '../posterior/node-fault.js';
import type { GateAnswer } from './outcome.js';

/** From even odds on a device is held for its node: until then its own defect is the better explanation. */
const HOLD_ODDS = 1;

export interface NodeAnswer extends GateAnswer {
  /** Devices whose mismatches speak against the node, if it is at fault rather than they; [] = it is not. */
  attributed: string[];
  /** What the devices showed since has made causes of their own likelier than the fault of the node that is suspected. */
  refuted: boolean;
  dueUs: number | null;
}

/**
 * Gate 6: is it the node (power, memory, software) rather than this device? It takes mismatches on two devices or more, and that
 * one fault of the node explains them better than a cause of its own for each (posterior/node-fault.ts). The node is held
 * responsible at the odds that a quarantine of a device takes; a device is held as soon as the node is the likelier explanation.
 */
export function nodeGate(draft: Draft, device: DeviceState, nowUs: number): NodeAnswer {
  const open = incidentOfNode(draft, device.node);
  const { devices, failing, odds, oddsOf } = nodeFault(draft, device, nowUs);
  const inputs = {
    node: device.node,
    devices_on_node: String(devices),
    devices_with_mismatches: String(failing.length),
    node_incident: open?.id ?? 'none',
  };
  const dueUs = nextQuietUs(failing, nowUs);
  const what = `${failing.length} of the ${devices} devices of the node had mismatches in 7 days`;
  if (open?.state === 'CONFIRMED') {
    const reason = `${what}, and an operator confirmed a fault of the node: not this device.`;
    return { verdict: 'HOLD', reason, inputs, attributed: failing.map(({ id }) => id), refuted: false, dueUs };
  }
  if (devices === 1) {
    const reason = 'The node has one device, so a fault of the node cannot be told from one of the device.';
    return { verdict: 'NOT_EVALUABLE', reason, inputs, attributed: [], refuted: false, dueUs: null };
  }
  if (failing.every((mate) => mate.id === device.id)) {
    const reason = `No other of the ${devices} devices of the node had a mismatch in 7 days.`;
    return { verdict: 'PASS', reason, inputs, attributed: [], refuted: false, dueUs: null };
  }
  const needed = configOf(draft).attribution.quarantine_odds;
  const ofThis = oddsOf.get(device.id) ?? 0;
  const weighed = {
    ...inputs,
    odds_of_the_node: odds.toExponential(2),
    odds_of_the_node_for_this_device: ofThis.toExponential(2),
    odds_needed: String(needed),
  };
  const held = failing.map(({ id }) => id).filter((id) => (oddsOf.get(id) ?? 0) >= HOLD_ODDS);
  const attributed = odds >= needed ? held : [];
  const refuted = open !== undefined && odds < HOLD_ODDS;
  if (ofThis < HOLD_ODDS) {
    const reason = `${what}, but for this one a cause of its own is likelier than a fault of the node.`;
    return { verdict: 'PASS', reason, inputs: weighed, attributed, refuted, dueUs };
  }
  const reason = `${what}: the node is suspected, not the device.`;
  return { verdict: 'HOLD', reason, inputs: weighed, attributed, refuted, dueUs };
}

/** The incident that holds quarantines of this node's devices. */
export function incidentOfNode(draft: Draft, node: string): Incident | undefined {
  return fleetOf(draft).incidents.find((incident) => incident.node === node && incident.endedUs === null);
}

function nextQuietUs(failing: readonly DeviceState[], nowUs: number): number | null {
  const ends = failing.map((mate) => (mate.lastObservationUs ?? nowUs) + NODE_WINDOW_US);
  return ends.length === 0 ? null : Math.min(...ends);
}
