import { deviceOf } from '../evidence/draft.js';
import { binOf } from '../evidence/posterior/bins.js';
import type { SpanRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { addClean, addScheduledCleans } from './add-clean.js';
import { reviewAfterRuns } from './held-review.js';
import { count } from './on-batch.js';

/** What the same runs, row by row, would have done. */
export function applySpan(step: Step, record: SpanRecord): void {
  const { deviceId, node, fromUs, untilUs } = record;
  if (deviceOf(step.draft, deviceId)?.node !== node) return;
  for (const { family, runs, executions } of record.ran) {
    count(step, { deviceId, family, runs, executions, failures: 0, notRun: 0, firstRunUs: fromUs, lastRunUs: untilUs });
  }
  const cleans = record.clean.map(({ family, sm, executions, directiveId, temperatureC }) => ({
    family,
    sm,
    executions,
    fromUs,
    untilUs,
    directiveId: directiveId === '' ? undefined : directiveId,
    bin: binOf({ temperatureC }),
  }));
  addScheduledCleans(
    step,
    deviceId,
    cleans.filter(({ directiveId }) => directiveId === undefined),
  );
  for (const clean of cleans) if (clean.directiveId !== undefined) addClean(step, deviceId, clean);
  if (record.clean.length > 0) reviewAfterRuns(step, deviceId);
}
