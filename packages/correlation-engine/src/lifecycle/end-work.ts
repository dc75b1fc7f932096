import type { DeviceState } from '../evidence/model/device.js';
import type { Step } from '../evidence/step.js';
import { cancelAll } from './directives.js';
import { withdrawAll } from './proposals.js';
import { transition } from './transition.js';

/** The hardware was taken out: nothing more is asked of it, nor about it. @param why in the middle of a sentence */
export function endWork(step: Step, device: DeviceState, why: string): void {
  cancelAll(step, device, why);
  withdrawAll(step, device, `The device was replaced: ${why}.`);
  device.dueUs = null;
}

/** It was taken out in the middle of a deep test, which says nothing then. */
export function leaveDeepTest(step: Step, device: DeviceState, why: string): void {
  if (device.state !== 'DEEP_TEST') return;
  const reason = `The deep test ended without an answer: ${why}.`;
  transition(step, device, { to: 'QUARANTINED', reason, timeUs: step.ctx.nowUs, actor: '' });
}
