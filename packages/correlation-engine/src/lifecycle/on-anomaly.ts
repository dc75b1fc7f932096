import { type Draft, deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { AnomalyRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { isInjected } from './detail.js';
import { takeSoftEvent } from './take-soft-event.js';

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
  noteSignal(editDevice(step.draft, known.id), 'anomaly', eventUs);
  takeSoftEvent(step, known.id, { source, timeUs: eventUs, job, jobGpus: record.jobGpus });
}

/** An anomaly of a node with several devices names none of them. */
function accusedBy(draft: Draft, { node, gpu }: AnomalyRecord): DeviceState | undefined {
  if (gpu !== '') return deviceOf(draft, gpu);
  const ids = nodeOf(draft, node)?.deviceIds ?? [];
  return ids.length === 1 && ids[0] !== undefined ? deviceOf(draft, ids[0]) : undefined;
}
