import { type Draft, deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { JsonValue } from '../evidence/effects.js';
import type { AnomalyRecord } from '../evidence/job-record.js';
import type { DeviceState } from '../evidence/model/device.js';
import { emit, type Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { isInjected } from './detail.js';
import { placeOf } from './place-in-job.js';
import { takeSoftEvent } from './take-soft-event.js';

/**
 * An anomaly that a monitor saw, which is no wrong result of a probe: it makes defects of the device likelier to begin with,
 * and in numbers that its source does not show elsewhere it makes the device SUSPECT. It never quarantines. Several devices share it.
 * @param untold events of the kind that the ledger was not told of before this one; null = nor is it of this one
 */
export function applyAnomaly(step: Step, record: AnomalyRecord, untold: number | null = 0): void {
  const eventUs = Math.min(record.timeUs, step.ctx.nowUs);
  const accused = accusedBy(step.draft, record);
  const [known] = accused;
  const injected = record.testBuild === true || accused.some(isInjected);
  const subject = { gpu: accused.length === 1 ? (known?.id ?? '') : '', eventUs, injected };
  const { node, source, type, job } = record;
  const left = untold === 0 ? {} : { untold_before: untold };
  if (untold !== null)
    emit(step, 'ANOMALY', subject, { event: 'anomaly', node, source, type, job, ...more(record), ...left });
  // What a test build makes up would outlive the test, and INFO is for people.
  if (record.testBuild === true || record.severity === 'INFO') return;
  for (const { id } of accused) {
    noteSignal(editDevice(step.draft, id), 'anomaly', eventUs);
    const shared = accused.length === 1 ? {} : { share: 1 / accused.length };
    takeSoftEvent(step, id, { source, timeUs: eventUs, job, jobGpus: record.jobGpus, ...shared });
  }
}

/** An anomaly of a node with several devices names none of them. What is not there, not in service or not of the node is not accused. */
function accusedBy(draft: Draft, { node, gpu, gpus }: AnomalyRecord): DeviceState[] {
  if (gpus !== undefined)
    return gpus.flatMap((id) => {
      const device = deviceOf(draft, id);
      return device?.node === node && device.replaced === null ? [device] : [];
    });
  const ids = gpu === '' ? (nodeOf(draft, node)?.deviceIds ?? []) : [gpu];
  return ids.length === 1 && ids[0] !== undefined ? [deviceOf(draft, ids[0]) ?? []].flat() : [];
}

/** What records of earlier releases do not have. */
function more(record: AnomalyRecord): Record<string, JsonValue> {
  const { gpus, severity, jobGpus, value, limit, detail } = record;
  return {
    ...(gpus === undefined ? {} : { gpus: [...gpus], job_gpus: jobGpus }),
    ...(severity === undefined ? {} : { severity }),
    ...placeOf(record),
    ...(value === undefined ? {} : { value: String(value) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(detail === undefined || detail === '' ? {} : { detail }),
  };
}
