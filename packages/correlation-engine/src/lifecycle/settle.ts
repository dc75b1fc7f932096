import { earliest } from '../evidence/gates/evaluate.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { Step } from '../evidence/step.js';
import { hasAnswered } from './ask.js';
import { cancelDirective, finishDirective, openFollowUp, sendDirective } from './directives.js';

/** Reports of an agent that says "done" may still be in its spool for so long. */
export const SETTLE_US = 60_000_000;

/** Ends the directives that are over, and asks again for what the agent thinks done and is not. */
export function settleDirectives(step: Step, device: DeviceState): void {
  const { nowUs } = step.ctx;
  for (const directive of device.directives) {
    if (directive.status !== 'open') continue;
    if (directive.kind === 'burst' && directive.done >= directive.executions) {
      finishDirective(device, directive, 'done', 'all executions ran');
      if (device.state === 'SUSPECT' && !hasAnswered(step, device, directive.family))
        openFollowUp(step, device, directive);
    } else if (directive.kind === 'follow-up' && nowUs >= directive.untilUs) {
      finishDirective(device, directive, 'done', 'its time is over');
    } else if (directive.kind !== 'deep-test' && hasAnswered(step, device, directive.family)) {
      cancelDirective(step, device, directive, 'it failed as often as it takes: more of it would tell nothing new');
    } else if (directive.agentDoneUs !== null && nowUs >= directive.agentDoneUs + SETTLE_US) {
      directive.agentDoneUs = null;
      sendDirective(step, device, directive);
    }
  }
}

/** When the next of them may be over; null = never by time alone. */
export function nextSettleUs(device: DeviceState): number | null {
  const open = device.directives.filter((directive) => directive.status === 'open');
  return earliest(open.flatMap((directive) => duesOf(directive)));
}

function duesOf({ kind, untilUs, agentDoneUs }: DirectiveState): number[] {
  return [...(kind === 'follow-up' ? [untilUs] : []), ...(agentDoneUs === null ? [] : [agentDoneUs + SETTLE_US])];
}
