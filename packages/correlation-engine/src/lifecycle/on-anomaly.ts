import { type Draft, deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model.js';
import type { AnomalyRecord } from '../evidence/record.js';
import { MAX_CUSUM } from '../evidence/soft/cusum.js';
import { addSoftEvent, softCusum } from '../evidence/soft/soft.js';
import { emit, type Step } from '../evidence/step.js';
import { isInjected } from './detail.js';
import { review } from './review.js';
import { transition } from './transition.js';

/**
 * An anomaly that a monitor saw, which is no wrong result of a probe: it makes defects of the device likelier to begin with,
 * and in numbers that its source does not show elsewhere it makes the device SUSPECT. It never quarantines.
 */
export function applyAnomaly(step: Step, record: AnomalyRecord): void {
  const eventUs = Math.min(record.timeUs, step.ctx.nowUs);
  const known = accusedBy(step.draft, record);
  const subject = { gpu: known?.id ?? '', eventUs, injected: known === undefined ? false : isInjected(known) };
  const { node, source, type, job } = record;
  emit(step, 'ANOMALY', subject, { event: 'anomaly', node, source, type, job });
  if (known === undefined) return;
  const device = editDevice(step.draft, known.id);
  addSoftEvent(step, device, { source, timeUs: eventUs, job, jobGpus: record.jobGpus });
  if (device.state === 'SUSPECT' && device.units.length === 0) device.lastObservationUs = eventUs;
  const speaks = softCusum(step.draft, device, step.ctx.nowUs) >= MAX_CUSUM;
  if (device.state === 'HEALTHY' && speaks) suspect(step, device, eventUs, source);
  review(step, device.id);
}

/** An anomaly of a node with several devices names none of them. */
function accusedBy(draft: Draft, { node, gpu }: AnomalyRecord): DeviceState | undefined {
  if (gpu !== '') return deviceOf(draft, gpu);
  const ids = nodeOf(draft, node)?.deviceIds ?? [];
  return ids.length === 1 && ids[0] !== undefined ? deviceOf(draft, ids[0]) : undefined;
}

function suspect(step: Step, device: DeviceState, timeUs: number, source: string): void {
  // The dwell of gate 4 begins with a wrong result, so only the newest time is noted: quiet days are counted from it.
  device.lastObservationUs = timeUs;
  const reason = `Anomalies of ${source} are far more frequent here than elsewhere. No probe has failed: soft evidence asks for attention and never quarantines.`;
  transition(step, device, { to: 'SUSPECT', reason, timeUs, actor: '' });
}
