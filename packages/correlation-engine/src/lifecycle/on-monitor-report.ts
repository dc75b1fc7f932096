import { nodeOf } from '../evidence/draft.js';
import type { MonitorReportRecord } from '../evidence/job-record.js';
import type { Step } from '../evidence/step.js';
import { applyAnomaly } from './on-anomaly.js';
import { applyComparison } from './on-comparison.js';
import { applyLoadedCheckpoint } from './on-loaded-checkpoint.js';
import { applySavedCheckpoint } from './on-saved-checkpoint.js';
import { untoldBefore } from './tell-job-events.js';

/** What a monitor saw, in order. Its clock is that of its node: the offset was measured when the agent said hello. */
export function applyMonitorReport(step: Step, record: MonitorReportRecord): void {
  const offsetUs = nodeOf(step.draft, record.node)?.offsetUs ?? 0;
  for (const event of record.events) {
    const timeUs = Math.max(0, event.timeUs + offsetUs);
    if (event.kind === 'anomaly')
      applyAnomaly(step, { ...event, timeUs }, untoldBefore(step, record.node, `${event.source} ${event.type}`));
    else if (event.kind === 'comparison') applyComparison(step, { ...event, timeUs });
    else if (event.kind === 'saved') applySavedCheckpoint(step, { ...event, timeUs });
    else applyLoadedCheckpoint(step, { ...event, timeUs });
  }
}
