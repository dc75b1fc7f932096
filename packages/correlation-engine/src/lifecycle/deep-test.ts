import { configOf } from '../evidence/draft.js';
import { JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState, TestUnit } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { probabilityOf } from '../evidence/posterior/recursion.js';
import { reinstated } from '../evidence/posterior/reinstatement.js';
import { displayedScore, thresholdOdds } from '../evidence/score.js';
import type { Step } from '../evidence/step.js';
import { cleanInDeepTest, forgetDeepTest, neededInDeepTest } from './deep-test-count.js';
import { cancelDirective, deepTestUnits, finishDirective, openDeepTestOf, sendDirective } from './directives.js';
import { propose } from './proposals.js';
import { reinstate } from './reinstate.js';
import { askToCondemn } from './relapse.js';
import { noteFailedTest } from './schedule-deep-test.js';
import { transition } from './transition.js';
import { leftOut, noteWouldBe } from './would-be.js';

const SECOND_US = 1_000_000;

/** The first execution of a deep test arrived: DEEP_TEST is the state only while one runs. The device stays out of service. */
export function beginDeepTest(step: Step, device: DeviceState, directive: DirectiveState, timeUs: number): void {
  directive.startedUs ??= timeUs;
  if (device.state !== 'QUARANTINED') return;
  const reason = `Deep test of ${testedUnits(directive)} under build ${device.buildId}.`;
  transition(step, device, { to: 'DEEP_TEST', reason, timeUs, actor: '' });
}

function testedUnits({ units }: DirectiveState): string {
  if (units.length === 0) return 'everything, for no probe has failed,';
  return units.length === 1 ? 'the failing unit' : `${units.length} failing units`;
}

/** Anything wrong during a deep test ends it: the count starts again at 0, and the build joins those that failed. */
export function failDeepTest(
  step: Step,
  device: DeviceState,
  directive: DirectiveState,
  failure: { what: string; counted: boolean; timeUs: number },
): void {
  const { what, counted, timeUs } = failure;
  noteFailingBuild(device, device.buildId);
  noteFailedTest(device, step.ctx.nowUs);
  endDeepTest(step, device, directive, `The deep test failed: ${what}.`, timeUs);
  if (counted) noteReproduced(step, device, what);
}

/** From this probability of a defect on a fault that a deep test shows again is proposed for condemnation. */
const REPRODUCED_PROBABILITY = 0.9999;

function noteReproduced(step: Step, device: DeviceState, what: string): void {
  const odds = step.model.odds(device, step.ctx.nowUs, step.draft);
  if (probabilityOf(odds) < REPRODUCED_PROBABILITY) return;
  const reason = `A deep test showed the fault again (${what}), and a defect is more than 99.99 % likely.`;
  askToCondemn(step, device, reason);
}

/** A mismatch from before the test names a unit that the test does not cover yet. */
export function extendDeepTest(step: Step, device: DeviceState, directive: DirectiveState): void {
  const wanted = deepTestUnits(step, device, directive.executions);
  const isNew = ({ family, sm }: TestUnit): boolean =>
    !directive.units.some((unit) => unit.family === family && unit.sm === sm);
  const added = wanted.filter(isNew);
  if (added.length === 0) return;
  directive.units = [...directive.units, ...added];
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
  forgetDeepTest(device);
  cancelDirective(step, device, directive, reason);
  if (device.state === 'DEEP_TEST') transition(step, device, { to: 'QUARANTINED', reason, timeUs, actor: '' });
}

/** Reinstates once every failing unit ran cleanly often enough and the sweep is over. Returns when to look again. */
export function reviewDeepTest(step: Step, device: DeviceState): number | null {
  const directive = openDeepTestOf(device);
  if (directive === undefined || device.state !== 'DEEP_TEST') return null;
  const { nowUs } = step.ctx;
  if (directive.unitsCleanUs === null && unitsAreClean(device, directive, configOf(step.draft)))
    directive.unitsCleanUs = nowUs;
  if (directive.unitsCleanUs === null) return null;
  const sweptUs = directive.unitsCleanUs + directive.sweepSeconds * SECOND_US;
  if (nowUs < sweptUs) return sweptUs;
  if (directive.sweepSeconds > 0 && directive.sweepClean < device.sms.length * device.families.length) return null;
  finishDirective(device, directive, 'done', 'passed');
  passDeepTest(step, device, `${ranCleanly(directive)} in a deep test under build ${device.buildId}.`);
  return null;
}

function ranCleanly({ units }: DirectiveState): string {
  if (units.length === 0) return 'Every family ran cleanly on every SM';
  const counts = units.map((unit) => unit.executions);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const times = least === most ? `${least} times` : `${least} to ${most} times`;
  return units.length === 1
    ? `The failing unit ran cleanly ${times}`
    : `Each of the ${units.length} failing units ran cleanly ${times}`;
}

/** Reinstates, or leaves the device out of service and says who has to decide. */
function passDeepTest(step: Step, device: DeviceState, reason: string): void {
  const config = configOf(step.draft);
  const low = lowScore(step, device);
  if (config.mode === 'enforce' && !config.requireApproval && low === '')
    return reinstate(step, device, { reason, actor: '' });
  const observes = config.mode === 'observe';
  const known = low === '' ? reason : `${reason} ${low}`;
  const waits = observes ? leftOut(known) : `${known} Its return waits for approval.`;
  transition(step, device, { to: 'QUARANTINED', reason: waits, timeUs: step.ctx.nowUs, actor: '' });
  const cause = low === '' ? 'require-approval' : 'low-score';
  if (!observes) propose(step, device, { action: 'REINSTATE', cause, reason: known });
  else if (low === '') noteWouldBe(step, device, 'HEALTHY', reason);
}

/** `quarantine_to_healthy_threshold` is asked of the score that the device would go back with; '' = it suffices. */
function lowScore(step: Step, device: DeviceState): string {
  const config = configOf(step.draft);
  const { nowUs } = step.ctx;
  const units = device.units.map((unit) => reinstated(step.draft, device, unit, nowUs));
  const odds = step.model.odds({ ...device, units }, nowUs, step.draft);
  if (odds < thresholdOdds(config).healthy) return '';
  const { score } = displayedScore(odds, { alpha: config.priorAlpha, beta: config.priorBeta });
  return `Its score would be ${score.toFixed(3)}, and ${config.thresholds.healthy} is needed.`;
}

function unitsAreClean(device: DeviceState, directive: DirectiveState, config: CoreConfig): boolean {
  const ofProbes = device.units.filter(({ family }) => family !== JOB);
  // Without a sweep nothing at all would be tested.
  if (ofProbes.length === 0) return directive.sweepSeconds > 0;
  return ofProbes.every((unit) => cleanInDeepTest(unit, config) >= neededInDeepTest(directive, unit));
}
