import { attentiveIds, configOf, deviceOf, editDevice, editFleet } from '../evidence/draft.js';
import { JOB } from '../evidence/families.js';
import { earliest, evaluateGates } from '../evidence/gates/evaluate.js';
import { DAY_US } from '../evidence/gates/rate-limit.js';
import { heldUnits } from '../evidence/held-units.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { GateOutcome } from '../evidence/model/terms.js';
import { probabilityOf } from '../evidence/posterior/recursion.js';
import { reinstated } from '../evidence/posterior/reinstatement.js';
import { thresholdOdds } from '../evidence/score.js';
import type { Step } from '../evidence/step.js';
import { unitName } from '../evidence/unit-name.js';
import { totalsOf } from '../evidence/unit-totals.js';
import { reviewDeepTest } from './deep-test.js';
import { cancelAll } from './directives.js';
import { resetEvidence } from './evidence-reset.js';
import { attributeToNode, withdrawNodeFault } from './node-fault.js';
import { notePatterns } from './note-patterns.js';
import { reviewOutOfService } from './out-of-service.js';
import { expireProposals, isRejected, mayPropose, nextExpiryUs, propose, withdraw } from './proposals.js';
import { testInTime, testNewBuild } from './schedule-deep-test.js';
import { nextSettleUs, settleDirectives } from './settle.js';
import { nextSumUs, tellSum } from './tell-mismatches.js';
import { transition } from './transition.js';
import { noteWouldBe } from './would-be.js';

/**
 * Looks at a device as it stands now: ends directives whose time is over, decides, and notes when time alone may change
 * something. Called after the records that touched the device, by timers, and for all after a configuration change.
 */
export function review(step: Step, id: string): void {
  if (deviceOf(step.draft, id) === undefined) return;
  const device = editDevice(step.draft, id);
  tellSum(step, device);
  settleDirectives(step, device);
  expireProposals(step, device);
  const decisionUs = decide(step, device);
  notePatterns(step, device);
  device.dueUs = earliest([decisionUs, nextSettleUs(device), nextExpiryUs(device), nextSumUs(device)]);
}

/** Returns when time alone may change the answer; null = never. */
function decide(step: Step, device: DeviceState): number | null {
  if (device.replaced !== null) return null;
  if (device.state === 'HEALTHY') reviewHealthy(step, device);
  const suspectUs = device.state === 'SUSPECT' ? reviewSuspect(step, device) : null;
  if (device.state === 'SUSPECT') return suspectUs;
  const deepTestUs = device.state === 'DEEP_TEST' ? reviewDeepTest(step, device) : null;
  const outUs = reviewOutOfService(step, device);
  return earliest([deepTestUs, outUs, testInTime(step, device)]);
}

/** A device of which something hangs on its evidence. */
export function needsReview(step: Step, id: string): boolean {
  const device = deviceOf(step.draft, id);
  return (
    device !== undefined &&
    (device.state !== 'HEALTHY' || device.directives.some((directive) => directive.status === 'open'))
  );
}

/** Every device that has something pending, in a stable order. */
export function reviewAll(step: Step): void {
  for (const id of attentiveIds(step.draft)) review(step, id);
}

/** Evidence other than a mismatch of its own may make a suspect too: the odds decide, by the threshold of the score. */
function reviewHealthy(step: Step, device: DeviceState): void {
  const config = configOf(step.draft);
  const odds = step.model.odds(device, step.ctx.nowUs, step.draft);
  if (odds < thresholdOdds(config).suspect) return;
  const reason = `A defect is ${(100 * probabilityOf(odds)).toFixed(0)} % likely, so its score is below ${config.thresholds.suspect}.`;
  transition(step, device, { to: 'SUSPECT', reason, timeUs: step.ctx.nowUs, actor: '' });
}

function reviewSuspect(step: Step, device: DeviceState): number | null {
  if (totalsOf(device.units).held.length === 0) return reviewSoftSuspect(step, device);
  const { gates, decision, held, attributed, refuted, dueUs } = evaluateGates(step, device);
  device.gates = gates;
  const asks = decision.quarantine && !heldByEvidence(gates);
  if (!asks) withdraw(step, device, 'QUARANTINE', 'What was known no longer asks for it.');
  if (refuted) withdrawNodeFault(step, device);
  attributeToNode(step, device, gates, attributed);
  if (!decision.quarantine) {
    device.wouldBe = null;
    return earliest([dueUs, reviewClearing(step, device)]);
  }
  const observes = configOf(step.draft).mode === 'observe';
  if (held || !observes) device.wouldBe = null;
  if (!observes && asks) askOrQuarantine(step, device, held);
  else if (!held && device.wouldBe !== 'QUARANTINED') noteWouldBe(step, device, 'QUARANTINED', why(step, device));
  return held ? dueUs : null;
}

/** Soft evidence alone: there is nothing that a gate could let through. It fades, so it is looked at daily. */
function reviewSoftSuspect(step: Step, device: DeviceState): number | null {
  const { nowUs } = step.ctx;
  const dueUs = reviewClearing(step, device);
  return device.state === 'SUSPECT' ? (dueUs ?? nowUs + DAY_US) : null;
}

/** Some gate other than the rate limit, beyond which an operator may go. */
function heldByEvidence(gates: readonly GateOutcome[]): boolean {
  return gates.some((gate) => gate.number > 2 && gate.name !== 'rate-limit' && gate.verdict === 'HOLD');
}

function askOrQuarantine(step: Step, device: DeviceState, limited: boolean): void {
  const action = 'QUARANTINE';
  const asks = limited || configOf(step.draft).requireApproval;
  // Most records of a device that waits for an answer change nothing: no words are made for them.
  if (asks ? !mayPropose(step, device, action) : isRejected(step, device, action)) return;
  const evidence = why(step, device);
  if (limited) {
    const reason = `${evidence} The limit of automatic quarantines is used up.`;
    propose(step, device, { action, cause: 'rate-limit', reason });
  } else if (asks)
    propose(step, device, { action, cause: 'require-approval', reason: `${evidence} No gate holds it.` });
  else quarantine(step, device, `${evidence} No gate holds it.`);
}

/** One sentence: what failed, and how likely a defect is. */
function why(step: Step, device: DeviceState): string {
  return `${accused(device)}: ${step.model.assess(device, null, step.ctx.nowUs, step.draft).reason}.`;
}

function quarantine(step: Step, device: DeviceState, reason: string): void {
  const { nowUs } = step.ctx;
  cancelAll(step, device, 'the device is quarantined');
  transition(step, device, { to: 'QUARANTINED', reason, timeUs: nowUs, actor: '' });
  const fleet = editFleet(step.draft);
  fleet.automaticQuarantinesUs = [...fleet.automaticQuarantinesUs.filter((us) => us > nowUs - DAY_US), nowUs];
  testNewBuild(step, device);
}

/** Below these odds a suspect may become healthy again; well below those that make a suspect. */
export const CLEARED_ODDS = 0.3;

/**
 * A SUSPECT without a decision against it becomes HEALTHY after days without a mismatch, but only if each of its units also
 * ran cleanly as often as a burst asks, and a defect is unlikely: silence and NOT_RUN clear nobody.
 */
function reviewClearing(step: Step, device: DeviceState): number | null {
  const { gates } = configOf(step.draft);
  const { nowUs } = step.ctx;
  const quietUs = (device.lastObservationUs ?? device.stateSinceUs) + gates.followup_days * DAY_US;
  if (nowUs < quietUs) return quietUs;
  if (heldUnits(device).some((unit) => unit.clean < gates.burst_executions)) return null;
  if (step.model.odds(withoutJobs(device), nowUs, step.draft) >= CLEARED_ODDS) return null;
  cancelAll(step, device, 'the device is healthy again');
  const reason = `No mismatch for ${gates.followup_days} days, and every suspected unit ran cleanly ${gates.burst_executions} times or more.`;
  transition(step, device, { to: 'HEALTHY', reason, timeUs: nowUs, actor: '' });
  const units = device.units.map((unit) => (unit.family === JOB ? reinstated(step.draft, device, unit, nowUs) : unit));
  resetEvidence(device, units);
  return null;
}

/**
 * Jobs end, and no monitor may ever say that the device agreed: what it lost once and not again while its probes ran cleanly does not keep
 * it a suspect. It goes on with the odds of a unit that a deep test cleared.
 */
export function withoutJobs(device: DeviceState): DeviceState {
  const units = device.units.filter(({ family }) => family !== JOB);
  return units.length === device.units.length ? device : { ...device, units };
}

function accused(device: DeviceState): string {
  const units = device.units.filter((unit) => unit.counted > 0);
  const named = units.slice(0, 3).map(unitName);
  const more = units.length > named.length ? ` and ${units.length - named.length} more` : '';
  return named.join(', ') + more;
}
