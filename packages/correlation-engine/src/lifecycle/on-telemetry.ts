import { deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { Sample, TelemetryRecord } from '../evidence/record.js';
import { noticeTrends, type TrendSource } from '../evidence/soft/trends.js';
import { emit, type Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { noteEvent } from './on-gap.js';
import { softEventOf, takeSoftEvent } from './take-soft-event.js';

const TYPES: Readonly<Record<TrendSource, string>> = {
  'telemetry/corrected-errors': 'CORRECTED_ERRORS_ROSE',
  'telemetry/memory-repairs': 'MEMORY_WAS_REPAIRED',
  'telemetry/thermal': 'SLOWED_BY_HEAT',
};

/**
 * What a device's sensors say is context for people. Only that corrected errors or repairs of memory become more, or that heat slows it
 * down, is soft evidence; of a test build nothing is, for it would outlive the test.
 */
export function applyTelemetry(step: Step, record: TelemetryRecord): void {
  if (record.testBuild) return;
  for (const sample of record.samples) takeSample(step, record.node, sample);
}

function takeSample(step: Step, node: string, { deviceId, values, timeUs }: Sample): void {
  const known = deviceOf(step.draft, deviceId);
  if (known === undefined || known.node !== node || known.replaced !== null) return;
  const { trends, sources } = noticeTrends(known.trends, values);
  if (trends === known.trends) return;
  editDevice(step.draft, deviceId).trends = trends;
  for (const source of sources) {
    const eventUs = noteEvent(step, node, Number(timeUs));
    noteSignal(editDevice(step.draft, deviceId), 'anomaly', eventUs);
    const { events } = takeSoftEvent(step, deviceId, softEventOf(nodeOf(step.draft, node), source, eventUs));
    // Once a day and source: what goes on all day needs no entry each time.
    if (events > 1) continue;
    const subject = { gpu: deviceId, eventUs, injected: known.injectedEvidence };
    emit(step, 'ANOMALY', subject, { event: 'anomaly', node, source, type: TYPES[source], job: '' });
  }
}
