import { type Draft, deviceOf, nodeOf } from '../draft.js';
import type { DeviceState } from '../model.js';
import type { GateAnswer } from './outcome.js';

/** How long a mismatch of a node mate speaks against the node. */
export const NODE_WINDOW_US = 7 * 86_400_000_000;

/** Gate 6: is it the node (power, memory, software) rather than this device? */
export function nodeGate(draft: Draft, device: DeviceState, nowUs: number): GateAnswer & { dueUs: number | null } {
  const ids = nodeOf(draft, device.node)?.deviceIds ?? [device.id];
  const others = ids.filter((id) => id !== device.id).flatMap((id) => deviceOf(draft, id) ?? []);
  const failing = others.filter((mate) => speaksAgainstNode(mate, nowUs));
  // A device that was taken out says nothing for the node, but its failures still speak against it.
  const mates = others.filter((mate) => mate.announced || failing.includes(mate));
  const inputs = {
    node: device.node,
    devices_on_node: String(mates.length + 1),
    devices_with_mismatches: String(failing.length + 1),
  };
  if (mates.length === 0) {
    const reason = 'The node has one device, so a fault of the node cannot be told from one of the device.';
    return { verdict: 'NOT_EVALUABLE', reason, inputs, dueUs: null };
  }
  if (failing.length === 0) {
    return {
      verdict: 'PASS',
      reason: `No other of the ${mates.length + 1} devices of the node had a mismatch in 7 days.`,
      inputs,
      dueUs: null,
    };
  }
  const reason = `${failing.length + 1} of the ${mates.length + 1} devices of the node had mismatches in 7 days: the node is suspected, not the device.`;
  const dueUs = Math.max(...failing.map((mate) => (mate.lastObservationUs ?? nowUs) + NODE_WINDOW_US));
  return { verdict: 'HOLD', reason, inputs, dueUs };
}

function speaksAgainstNode(mate: DeviceState, nowUs: number): boolean {
  return (
    mate.lastObservationUs !== null &&
    nowUs < mate.lastObservationUs + NODE_WINDOW_US &&
    mate.units.some((unit) => unit.counted > 0)
  );
}
