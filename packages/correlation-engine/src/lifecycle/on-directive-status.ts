import { deviceOf, editDevice, nodeOf } from '../evidence/draft.js';
import type { DirectiveStatusRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { endDeepTest } from './deep-test.js';
import { isInjected } from './detail.js';
import { finishDirective } from './directives.js';
import { review } from './review.js';
import { noteFailedTest } from './schedule-deep-test.js';

/**
 * What an agent says about a directive. Progress is taken from its reports alone, so "done" only starts the wait for those
 * still in the spool. A refusal ends the directive; the next mismatch or hello may make another.
 */
export function applyDirectiveStatus(step: Step, record: DirectiveStatusRecord): void {
  if (record.state !== 'DONE' && record.state !== 'REFUSED') return;
  const id = deviceOfDirective(step, record);
  if (id === undefined) return;
  const device = editDevice(step.draft, id);
  const directive = device.directives.find((entry) => entry.id === record.directiveId);
  if (directive?.status !== 'open') return;
  if (record.state === 'DONE') directive.agentDoneUs ??= step.ctx.nowUs;
  else {
    const reason = record.reason === '' ? 'the agent gave no reason' : record.reason;
    if (directive.kind === 'deep-test') {
      noteFailedTest(device, step.ctx.nowUs);
      endDeepTest(step, device, directive, `The agent refused the deep test: ${reason}.`, step.ctx.nowUs);
    }
    finishDirective(device, directive, 'refused', reason);
    emit(
      step,
      'SYSTEM',
      { gpu: id, eventUs: step.ctx.nowUs, injected: isInjected(device) },
      {
        event: 'directive_refused',
        node: record.node,
        directive: directive.id,
        directive_kind: directive.kind,
        reason,
      },
    );
  }
  review(step, id);
}

function deviceOfDirective(step: Step, record: DirectiveStatusRecord): string | undefined {
  return nodeOf(step.draft, record.node)?.deviceIds.find((id) =>
    deviceOf(step.draft, id)?.directives.some((entry) => entry.id === record.directiveId && entry.status === 'open'),
  );
}
