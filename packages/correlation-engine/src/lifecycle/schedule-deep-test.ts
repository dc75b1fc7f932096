import { configOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { Step } from '../evidence/step.js';
import { openDeepTest, openDeepTestOf } from './directives.js';
import { declinedOf, hoursUs, proposalOf, propose } from './proposals.js';
import { askToCondemn, hasRelapsed } from './relapse.js';

/** Every failed deep test doubles the wait for the next one, up to this. */
const WAIT_FACTOR = 2;
export const LONGEST_WAIT_HOURS = 168;

const RELAPSED = 'It failed again on probation: another deep test may miss what comes and goes.';

/**
 * The engine's own quarantine gets a deep test as soon as a build runs that the failures did not come from: a software cause
 * is gone then. An operator's quarantine waits for an operator. Test builds are never asked to clear anything, and in observe mode
 * the engine starts nothing: a device that enforce mode took out stays where it is.
 */
export function testNewBuild(step: Step, device: DeviceState): void {
  if (configOf(step.draft).mode === 'observe' || !mayBeCleared(device)) return;
  if (device.failingBuildIds.includes(device.buildId)) return;
  start(step, device, `Build ${device.buildId} runs now, which none of the failures came from.`);
}

/** What failed in passing, and no more, does not fail a deep test: one starts when its time has come. Returns when it will. */
export function testInTime(step: Step, device: DeviceState): number | null {
  if (mayBeCleared(device) && hasRelapsed(device)) {
    if (device.wouldBe === null) askToCondemn(step, device, RELAPSED);
    return null;
  }
  const dueUs = nextDeepTestUs(device, configOf(step.draft));
  if (dueUs === null || step.ctx.nowUs < dueUs) return dueUs;
  start(step, device, whyNow(device));
  return null;
}

/** When the next deep test starts or is asked for by itself, whatever build runs; null = none does as things stand. */
export function nextDeepTestUs(device: DeviceState, config: CoreConfig): number | null {
  const { deep_test_after_hours: afterHours } = config.gates;
  const { out } = device;
  if (config.mode === 'observe' || afterHours === 0 || out === null) return null;
  if (!mayBeCleared(device) || isForOperator(device, config)) return null;
  const waitHours = Math.min(afterHours * WAIT_FACTOR ** out.failedTests, LONGEST_WAIT_HOURS);
  return (out.testedUs ?? out.sinceUs) + hoursUs(waitHours);
}

/** A deep test failed, or could not run: the next one waits longer. */
export function noteFailedTest(device: DeviceState, nowUs: number): void {
  const { out } = device;
  if (out !== null) device.out = { ...out, failedTests: out.failedTests + 1, testedUs: nowUs };
}

/** By a deep test that the engine starts. */
function mayBeCleared(device: DeviceState): boolean {
  if (device.state !== 'QUARANTINED' || device.out?.byEngine !== true || device.units.length === 0) return false;
  return !device.testBuild && device.replaced === null && openDeepTestOf(device) === undefined && !isPassed(device);
}

/** A deep test was passed, and whether that suffices is for an operator to say. */
function isPassed(device: DeviceState): boolean {
  const asked = proposalOf(device, 'REINSTATE') ?? declinedOf(device, 'REINSTATE');
  return device.wouldBe === 'HEALTHY' || asked !== undefined;
}

/** An operator has been asked what to do, or has said no to this; or it was tested before, and failed in service again. */
function isForOperator(device: DeviceState, config: CoreConfig): boolean {
  const asked = proposalOf(device, 'CONDEMN') ?? proposalOf(device, 'SCHEDULE_DEEP_TEST');
  const declined = declinedOf(device, 'SCHEDULE_DEEP_TEST');
  const refused = declined !== undefined && (declined.how === 'REJECTED' || config.requireApproval);
  return asked !== undefined || refused || device.wouldBe === 'CONDEMNED' || hasRelapsed(device);
}

function whyNow({ out }: DeviceState): string {
  const failed = out?.failedTests ?? 0;
  const past = failed === 0 ? '' : ` It failed ${failed === 1 ? 'one' : failed} before.`;
  return `It is time for a deep test: what failed in passing does not fail again.${past}`;
}

function start(step: Step, device: DeviceState, reason: string): void {
  if (configOf(step.draft).requireApproval)
    propose(step, device, { action: 'SCHEDULE_DEEP_TEST', cause: 'require-approval', reason });
  else openDeepTest(step, device, { actor: '', reason });
}
