import type { Refusal } from '../evidence/effects.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { OperatorAction } from '../evidence/model/orders.js';
import type { HealthState } from '../evidence/model/terms.js';
import { openDeepTestOf } from './directives.js';

type Move = Exclude<OperatorAction, 'SCHEDULE_DEEP_TEST'>;

/** From where each action is possible, and where it leads. */
export const MOVES: Readonly<Record<Move, { from: readonly HealthState[]; to: HealthState }>> = {
  QUARANTINE: { from: ['HEALTHY', 'SUSPECT'], to: 'QUARANTINED' },
  REINSTATE: { from: ['SUSPECT', 'QUARANTINED', 'DEEP_TEST'], to: 'HEALTHY' },
  CONDEMN: { from: ['QUARANTINED', 'DEEP_TEST'], to: 'CONDEMNED' },
};

/** The action leads on from this state; whether a deep test could prove something is not asked here. */
export function isPossible(action: OperatorAction, state: HealthState): boolean {
  return action === 'SCHEDULE_DEEP_TEST' ? state === 'QUARANTINED' : MOVES[action].from.includes(state);
}

/** Why the action cannot be carried out now, and what can; undefined = it can. */
export function problemWith(action: OperatorAction, device: DeviceState): Refusal | undefined {
  if (action === 'SCHEDULE_DEEP_TEST') return deepTestProblem(device);
  const { from } = MOVES[action];
  if (from.includes(device.state)) return undefined;
  return illegal(`${device.id} is ${device.state}, and ${action} needs ${from.join(' or ')}.`, nextOrder(device.state));
}

function deepTestProblem(device: DeviceState): Refusal | undefined {
  const { id, state } = device;
  if (openDeepTestOf(device) !== undefined)
    return illegal(`${id} has a deep test already.`, `Follow it with \`npx sentinel gpus explain ${id}\`.`);
  if (state !== 'QUARANTINED')
    return illegal(`${id} is ${state}; deep tests run on quarantined devices only.`, nextOrder(state));
  if (device.units.length === 0)
    return illegal(`${id} has no failing unit that a deep test could clear.`, 'Order REINSTATE or CONDEMN.');
  if (device.testBuild)
    return illegal(
      `The agent of ${id} is a test build, which cannot clear a device.`,
      'Start the ordinary agent; that schedules a deep test by itself.',
    );
  return undefined;
}

function nextOrder(state: HealthState): string {
  const orders = Object.entries(MOVES).filter(([, move]) => move.from.includes(state));
  return orders.length === 0
    ? 'Nothing can be ordered: CONDEMNED is final.'
    : `Possible now: ${orders.map(([name]) => name).join(', ')}.`;
}

function illegal(message: string, hint: string): Refusal {
  return { code: 'ILLEGAL_TRANSITION', message, hint };
}
