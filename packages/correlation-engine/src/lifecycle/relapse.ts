import { configOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import { probationEndUs } from '../evidence/posterior/probation.js';
import type { Step } from '../evidence/step.js';
import { propose } from './proposals.js';
import { noteWouldBe } from './would-be.js';

/** It was taken out again while one of its units was on probation: what comes and goes passes deep tests as well. */
export function hasRelapsed({ out, units }: DeviceState): boolean {
  return out !== null && units.some((unit) => (probationEndUs(unit) ?? 0) > out.sinceUs);
}

/** Never more than asks: a human condemns. */
export function askToCondemn(step: Step, device: DeviceState, reason: string): void {
  if (configOf(step.draft).mode === 'observe') noteWouldBe(step, device, 'CONDEMNED', reason);
  else propose(step, device, { action: 'CONDEMN', cause: 'reproduced', reason });
}
