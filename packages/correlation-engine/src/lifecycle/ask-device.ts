import { openTieBreak } from '../canary/open.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Step } from '../evidence/step.js';
import { openBurst } from './directives.js';
import { askMates } from './mates.js';

/**
 * A job says that a device computes wrongly, not with what: every family of it gets the confirmation burst, each on another SM and the
 * next time on others; the node's other devices and two of other nodes are asked about one of the families.
 */
export function askDevice(step: Step, device: DeviceState): void {
  const { families, sms } = device;
  if (families.length === 0 || sms.length === 0) return;
  const start = step.ctx.commitSeq;
  const unitAt = (i: number) => ({ family: families[i]?.family ?? 0, sm: sms[(start + i) % sms.length] ?? 0 });
  for (const i of families.keys()) openBurst(step, device, unitAt(i), families.length);
  const one = unitAt(start % families.length);
  askMates(step, device, one);
  openTieBreak(step, device, one.family);
}
