import type { DeviceState } from '../evidence/model/device.js';
import type { OperatorAction } from '../evidence/model/orders.js';
import type { Step } from '../evidence/step.js';
import { cancelAll, openDeepTest } from './directives.js';
import { MOVES } from './moves.js';
import { reinstate } from './reinstate.js';
import { testNewBuild } from './schedule-deep-test.js';
import { scheduleReview } from './schedule-review.js';
import { transition } from './transition.js';

export interface Order {
  action: OperatorAction;
  reason: string;
  /** Who ordered or approved it. */
  actor: string;
  /** The engine proposed what `actor` approved. */
  approved: boolean;
  /** What whoever asked says that speaks for it. */
  evidence: readonly string[];
  /** The id under which it was ordered or proposed. */
  order: string;
}

/** Does what an operator ordered or approved. `problemWith` has said that it is possible. */
export function carryOut(step: Step, device: DeviceState, order: Order): void {
  const { action, reason, actor, approved, evidence, order: id } = order;
  if (action === 'SCHEDULE_DEEP_TEST') return openDeepTest(step, device, order);
  cancelAll(step, device, `${actor} ${approved ? 'approved' : 'ordered'} ${action}`);
  const move = { reason, actor, approved, evidence, order: id };
  if (action === 'REINSTATE') return reinstate(step, device, move);
  transition(step, device, { ...move, to: MOVES[action].to, timeUs: step.ctx.nowUs });
  testNewBuild(step, device);
  scheduleReview(step);
}
