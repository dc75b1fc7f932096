import { attentiveIds, configOf, deviceOf, editDevice, editFleet } from '../evidence/draft.js';
import { familyName } from '../evidence/families.js';
import { earliest, evaluateGates } from '../evidence/gates/evaluate.js';
import { DAY_US } from '../evidence/gates/rate-limit.js';
import type { DeviceState } from '../evidence/model.js';
import { emit, type Step } from '../evidence/step.js';
import { reviewDeepTest, scheduleDeepTest } from './deep-test.js';
import { cancelAll } from './directives.js';
import { resetEvidence } from './evidence-reset.js';
import { nextSettleUs, settleDirectives } from './settle.js';
import { gatesDetail, isInjected, transition, unitsDetail } from './transition.js';

/**
 * Looks at a device as it stands now: ends directives whose time is over, decides, and notes when time alone may change
 * something. Called after every record that touched the device, by timers, and for all after a configuration change.
 */
export function review(step: Step, id: string): void {
  if (deviceOf(step.draft, id) === undefined) return;
  const device = editDevice(step.draft, id);
  settleDirectives(step, device);
  const decisionUs = decide(step, device);
  device.dueUs = earliest([decisionUs, nextSettleUs(device)]);
}

/** Returns when time alone may change the answer; null = never. */
function decide(step: Step, device: DeviceState): number | null {
  if (device.state === 'SUSPECT') return reviewSuspect(step, device);
  if (device.state === 'QUARANTINED' || device.state === 'DEEP_TEST') return reviewDeepTest(step, device);
  return null;
}

/** Every device that has something pending, in a stable order. */
export function reviewAll(step: Step): void {
  for (const id of attentiveIds(step.draft)) review(step, id);
}

function reviewSuspect(step: Step, device: DeviceState): number | null {
  const { gates, assessment, held, dueUs } = evaluateGates(step, device);
  device.gates = gates;
  if (!assessment.quarantine) {
    device.wouldBe = null;
    return earliest([dueUs, reviewClearing(step, device)]);
  }
  if (held) {
    device.wouldBe = null;
    return dueUs;
  }
  if (configOf(step.draft).mode === 'observe') noteWouldBe(step, device, assessment.reason);
  else quarantine(step, device, assessment.reason);
  return null;
}

function quarantine(step: Step, device: DeviceState, evidence: string): void {
  const { nowUs } = step.ctx;
  cancelAll(step, device, 'the device is quarantined');
  transition(step, device, {
    to: 'QUARANTINED',
    reason: `${accused(device)}: ${evidence}. No gate holds it.`,
    timeUs: nowUs,
    actor: '',
  });
  const fleet = editFleet(step.draft);
  fleet.automaticQuarantinesUs = [...fleet.automaticQuarantinesUs.filter((us) => us > nowUs - DAY_US), nowUs];
  scheduleDeepTest(step, device);
}

/** Observe mode decides and records, and acts on nothing. */
function noteWouldBe(step: Step, device: DeviceState, evidence: string): void {
  if (device.wouldBe === 'QUARANTINED') return;
  device.wouldBe = 'QUARANTINED';
  emit(
    step,
    'DECISION',
    { gpu: device.id, eventUs: step.ctx.nowUs, injected: isInjected(device) },
    {
      event: 'would_quarantine',
      reason: `${accused(device)}: ${evidence}. Observe mode leaves the device SUSPECT.`,
      commit_seq: step.ctx.commitSeq,
      node: device.node,
      units: unitsDetail(device),
      gates: gatesDetail(device),
    },
  );
}

/**
 * A SUSPECT without a decision against it becomes HEALTHY after days without a mismatch, but only if each of its units also
 * ran cleanly as often as a burst asks: silence and NOT_RUN clear nobody.
 */
function reviewClearing(step: Step, device: DeviceState): number | null {
  const { gates } = configOf(step.draft);
  const { nowUs } = step.ctx;
  const quietUs = (device.lastObservationUs ?? nowUs) + gates.followup_days * DAY_US;
  if (nowUs < quietUs) return quietUs;
  if (device.units.some((unit) => unit.clean < gates.burst_executions)) return null;
  cancelAll(step, device, 'the device is healthy again');
  const reason = `No mismatch for ${gates.followup_days} days, and every suspected unit ran cleanly ${gates.burst_executions} times or more.`;
  transition(step, device, { to: 'HEALTHY', reason, timeUs: nowUs, actor: '' });
  resetEvidence(device);
  return null;
}

function accused(device: DeviceState): string {
  const units = device.units.filter((unit) => unit.counted > 0);
  const named = units.slice(0, 3).map((unit) => `${familyName(unit.family)} on SM ${unit.sm}`);
  const more = units.length > named.length ? ` and ${units.length - named.length} more` : '';
  return named.join(', ') + more;
}
