import { deviceOf, editDevice } from '../evidence/draft.js';
import type { DeviceState, HealthState } from '../evidence/model.js';
import type { OperatorAction, OperatorRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { cancelAll, openDeepTest, openDeepTestOf } from './directives.js';
import { resetEvidence } from './evidence-reset.js';
import { scheduleReview } from './schedule-review.js';
import { transition } from './transition.js';

type Move = Exclude<OperatorAction, 'SCHEDULE_DEEP_TEST'>;

/** From where an operator may order each, and where it leads. */
const MOVES: Readonly<Record<Move, { from: readonly HealthState[]; to: HealthState }>> = {
  QUARANTINE: { from: ['HEALTHY', 'SUSPECT'], to: 'QUARANTINED' },
  REINSTATE: { from: ['SUSPECT', 'QUARANTINED', 'DEEP_TEST'], to: 'HEALTHY' },
  CONDEMN: { from: ['QUARANTINED', 'DEEP_TEST'], to: 'CONDEMNED' },
};

/** Carries out an operator's order, in observe mode too, or says why not; a refused order changes nothing. */
export function applyOperator(step: Step, record: OperatorRecord): void {
  const known = deviceOf(step.draft, record.gpu);
  if (known === undefined) {
    step.effects.refusal = {
      code: 'NOT_FOUND',
      message: `No device ${record.gpu} is registered.`,
      hint: 'List the known devices with `npx sentinel gpus list`.',
    };
  } else if (record.action === 'SCHEDULE_DEEP_TEST') orderDeepTest(step, record, known);
  else orderMove(step, record, known, record.action);
}

function orderMove(step: Step, record: OperatorRecord, known: DeviceState, action: Move): void {
  const { from, to } = MOVES[action];
  if (!from.includes(known.state)) {
    refuse(step, `${known.id} is ${known.state}, and ${action} needs ${from.join(' or ')}.`, nextOrder(known.state));
    return;
  }
  const device = editDevice(step.draft, known.id);
  cancelAll(step, device, `${record.actor} ordered ${action}`);
  transition(step, device, { to, reason: record.reason, timeUs: step.ctx.nowUs, actor: record.actor });
  if (to === 'HEALTHY') resetEvidence(device);
  device.dueUs = null;
  scheduleReview(step);
}

function orderDeepTest(step: Step, record: OperatorRecord, known: DeviceState): void {
  const problem = deepTestProblem(known);
  if (problem === undefined) openDeepTest(step, editDevice(step.draft, known.id), record);
  else refuse(step, problem.message, problem.hint);
}

function deepTestProblem(device: DeviceState): { message: string; hint: string } | undefined {
  const { id, state } = device;
  if (openDeepTestOf(device) !== undefined) {
    return { message: `${id} has a deep test already.`, hint: `Follow it with \`npx sentinel gpus explain ${id}\`.` };
  }
  if (state !== 'QUARANTINED') {
    return { message: `${id} is ${state}; deep tests run on quarantined devices only.`, hint: nextOrder(state) };
  }
  if (device.units.length === 0) {
    return { message: `${id} has no failing unit that a deep test could clear.`, hint: 'Order REINSTATE or CONDEMN.' };
  }
  if (device.testBuild) {
    return {
      message: `The agent of ${id} is a test build, which cannot clear a device.`,
      hint: 'Start the ordinary agent; that schedules a deep test by itself.',
    };
  }
  return undefined;
}

function nextOrder(state: HealthState): string {
  const orders = Object.entries(MOVES).filter(([, move]) => move.from.includes(state));
  return orders.length === 0
    ? 'Nothing can be ordered: CONDEMNED is final.'
    : `Possible now: ${orders.map(([name]) => name).join(', ')}.`;
}

function refuse(step: Step, message: string, hint: string): void {
  step.effects.refusal = { code: 'ILLEGAL_TRANSITION', message, hint };
}
