import { configOf } from '../evidence/draft.js';
import type { DeviceState, DirectiveState } from '../evidence/model.js';
import type { Step } from '../evidence/step.js';
import {
  cancelDirective,
  deepTestUnits,
  finishDirective,
  openDeepTest,
  openDeepTestOf,
  sendDirective,
} from './directives.js';
import { declinedOf, proposalOf, propose } from './proposals.js';
import { reinstate } from './reinstate.js';
import { transition } from './transition.js';
import { noteWouldBe } from './would-be.js';

const SECOND_US = 1_000_000;

/**
 * The engine's own quarantine gets a deep test as soon as a build runs that the failures did not come from: a software cause
 * is gone then. An operator's quarantine waits for an operator. Test builds are never asked to clear anything.
 */
export function scheduleDeepTest(step: Step, device: DeviceState): void {
  const due = device.state === 'QUARANTINED' && device.out?.byEngine === true && device.units.length > 0;
  if (!due || device.testBuild || device.failingBuildIds.includes(device.buildId)) return;
  if (openDeepTestOf(device) !== undefined || isPassed(device)) return;
  const reason = `Build ${device.buildId} runs now, which none of the failures came from.`;
  if (needsApproval(step)) propose(step, device, { action: 'SCHEDULE_DEEP_TEST', cause: 'require-approval', reason });
  else openDeepTest(step, device, { actor: '', reason });
}

/** A deep test was passed, and whether that suffices is for an operator to say. */
function isPassed(device: DeviceState): boolean {
  const asked = proposalOf(device, 'REINSTATE') ?? declinedOf(device, 'REINSTATE');
  return device.wouldBe === 'HEALTHY' || asked !== undefined;
}

/** Observe mode asks for nothing, and a deep test changes nothing that is in service. */
function needsApproval(step: Step): boolean {
  const { requireApproval, mode } = configOf(step.draft);
  return requireApproval && mode === 'enforce';
}

/** The first execution of a deep test arrived: DEEP_TEST is the state only while one runs. The device stays out of service. */
export function beginDeepTest(step: Step, device: DeviceState, directive: DirectiveState, timeUs: number): void {
  directive.startedUs ??= timeUs;
  if (device.state !== 'QUARANTINED') return;
  const reason = `Deep test of ${directive.units.length === 1 ? 'the failing unit' : `${directive.units.length} failing units`} under build ${device.buildId}.`;
  transition(step, device, { to: 'DEEP_TEST', reason, timeUs, actor: '' });
}

/** Anything wrong during a deep test ends it: the count starts again at 0, and the build joins those that failed. */
export function failDeepTest(
  step: Step,
  device: DeviceState,
  directive: DirectiveState,
  what: string,
  timeUs: number,
): void {
  noteFailingBuild(device, device.buildId);
  endDeepTest(step, device, directive, `The deep test failed: ${what}.`, timeUs);
}

/** A mismatch from before the test names a unit that the test does not cover yet. */
export function extendDeepTest(step: Step, device: DeviceState, directive: DirectiveState): void {
  const units = deepTestUnits(device, directive.executions);
  if (units.length === directive.units.length) return;
  directive.units = units;
  directive.unitsCleanUs = null;
  sendDirective(step, device, directive);
}

/** Builds that the evidence of one device came from: the newest this many, newest last. */
const MAX_FAILING_BUILDS = 8;

export function noteFailingBuild(device: DeviceState, buildId: string): void {
  const others = device.failingBuildIds.filter((id) => id !== buildId);
  device.failingBuildIds = [...others, buildId].slice(-MAX_FAILING_BUILDS);
}

/** Back to QUARANTINED without an answer, for example because a test build took over. */
export function endDeepTest(
  step: Step,
  device: DeviceState,
  directive: DirectiveState,
  reason: string,
  timeUs: number,
): void {
  for (const unit of device.units) unit.deepTestClean = 0;
  cancelDirective(step, device, directive, reason);
  if (device.state === 'DEEP_TEST') transition(step, device, { to: 'QUARANTINED', reason, timeUs, actor: '' });
}

/** Reinstates once every failing unit ran cleanly often enough and the sweep is over. Returns when to look again. */
export function reviewDeepTest(step: Step, device: DeviceState): number | null {
  const directive = openDeepTestOf(device);
  if (directive === undefined || device.state !== 'DEEP_TEST') return null;
  const { nowUs } = step.ctx;
  if (directive.unitsCleanUs === null && unitsAreClean(device, directive)) directive.unitsCleanUs = nowUs;
  if (directive.unitsCleanUs === null) return null;
  const sweptUs = directive.unitsCleanUs + directive.sweepSeconds * SECOND_US;
  if (nowUs < sweptUs) return sweptUs;
  if (directive.sweepSeconds > 0 && directive.sweepClean < device.sms.length * device.families.length) return null;
  finishDirective(device, directive, 'done', 'passed');
  const units =
    directive.units.length === 1 ? 'The failing unit' : `Each of the ${directive.units.length} failing units`;
  passDeepTest(
    step,
    device,
    `${units} ran cleanly ${directive.executions} times in a deep test under build ${device.buildId}.`,
  );
  return null;
}

/** Reinstates, or leaves the device out of service and says who has to decide. */
function passDeepTest(step: Step, device: DeviceState, reason: string): void {
  const { mode, requireApproval } = configOf(step.draft);
  if (mode === 'enforce' && !requireApproval) return reinstate(step, device, { reason, actor: '' });
  const wait = mode === 'observe' ? 'Observe mode leaves it out of service.' : 'Its return waits for approval.';
  transition(step, device, { to: 'QUARANTINED', reason: `${reason} ${wait}`, timeUs: step.ctx.nowUs, actor: '' });
  if (mode === 'observe') noteWouldBe(step, device, 'HEALTHY', reason);
  else propose(step, device, { action: 'REINSTATE', cause: 'require-approval', reason });
}

function unitsAreClean(device: DeviceState, directive: DirectiveState): boolean {
  return device.units.every((unit) => unit.deepTestClean >= directive.executions);
}
