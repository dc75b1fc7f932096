import { editDevice } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { NodeState } from '../evidence/model/node.js';
import { MAX_CUSUM, type SoftSource } from '../evidence/soft/cusum.js';
import { addSoftEvent, type SoftEvent, softCusum } from '../evidence/soft/soft.js';
import type { Step } from '../evidence/step.js';
import { review } from './review.js';
import { transition } from './transition.js';

/**
 * Something that is no wrong result of a probe speaks against a device: defects are likelier to begin there, and in numbers that the
 * source does not show elsewhere it makes the device SUSPECT. It never quarantines.
 * @returns what is known of the source on the device now
 */
export function takeSoftEvent(step: Step, deviceId: string, event: SoftEvent): SoftSource {
  const device = editDevice(step.draft, deviceId);
  const known = addSoftEvent(step, device, event);
  if (device.state === 'SUSPECT' && device.units.length === 0) device.lastObservationUs = event.timeUs;
  const speaks = softCusum(step.draft, device, step.ctx.nowUs) >= MAX_CUSUM;
  if (device.state === 'HEALTHY' && speaks) suspect(step, device, event.timeUs, event.source);
  review(step, device.id);
  return known;
}

/** Of a device of a node: what all devices of the node show at once, as heat does, is explained by the node, as by a job. */
export function softEventOf(node: NodeState | undefined, source: string, timeUs: number): SoftEvent {
  return { source, timeUs, job: `node ${node?.node ?? ''}`, jobGpus: node?.deviceIds.length ?? 0 };
}

function suspect(step: Step, device: DeviceState, timeUs: number, source: string): void {
  // The dwell of gate 4 begins with a wrong result, so only the newest time is noted: quiet days are counted from it.
  device.lastObservationUs = timeUs;
  const reason = `Events of ${source} are far more frequent here than elsewhere. No probe has failed: soft evidence asks for attention and never quarantines.`;
  transition(step, device, { to: 'SUSPECT', reason, timeUs, actor: '' });
}
