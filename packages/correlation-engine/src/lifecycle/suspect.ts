import type { DeviceState } from '../evidence/model/device.js';
import { addToUnit, type Circumstances, type Observed } from '../evidence/observe.js';
import { asksForRates } from '../evidence/posterior/rates.js';
import type { Step } from '../evidence/step.js';
import { unitName } from '../evidence/unit-name.js';
import { ask, hadAnswered } from './ask.js';
import { noteFailingBuild } from './deep-test.js';
import { withdraw } from './proposals.js';
import { transition } from './transition.js';

/** An observation that speaks against a device, and what it was made in. */
export interface Suspicion {
  observed: Observed;
  circumstances: Circumstances;
  buildId: string;
  /** Why it counts, after "computed a wrong result that". */
  why: string;
}

/** Adds the evidence, makes the device SUSPECT, and asks for answers. */
export function suspect(step: Step, device: DeviceState, { observed, circumstances, buildId, why }: Suspicion): void {
  const { effect } = observed;
  asksForRates(step.draft, step.ctx.nowUs);
  const answered = hadAnswered(step, device, effect.family);
  const unit = addToUnit(step.draft, device, observed, circumstances);
  device.firstObservationUs = Math.min(device.firstObservationUs ?? effect.timeUs, effect.timeUs);
  device.lastObservationUs = Math.max(device.lastObservationUs ?? effect.timeUs, effect.timeUs);
  noteFailingBuild(device, buildId);
  withdraw(step, device, 'REINSTATE', `${describe(observed)} computed a wrong result since.`);
  if (device.wouldBe === 'HEALTHY') device.wouldBe = null;
  if (device.state === 'HEALTHY') {
    const reason = `${describe(observed)} computed a wrong result that ${why}.`;
    transition(step, device, { to: 'SUSPECT', reason, timeUs: effect.timeUs, actor: '' });
  }
  if (device.state === 'SUSPECT' && !answered) ask(step, device, unit);
}

export function describe({ effect, ofWholeDevice }: Observed): string {
  return unitName({ ...effect, ...(ofWholeDevice === undefined ? {} : { ofWholeDevice }) });
}
