import { familyName, JOB } from '../evidence/families.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { GateOutcome } from '../evidence/model/terms.js';
import { unitName } from '../evidence/unit-name.js';
import { orderCommand } from '../lifecycle/answer-command.js';
import { openDeepTestOf } from '../lifecycle/directives.js';
import { hoursUs, proposalOf } from '../lifecycle/proposals.js';
import { CLEARED_ODDS } from '../lifecycle/review.js';
import { stillDeclined } from './declined.js';
import { cleanExecutionsUntil, failuresToQuarantine } from './hypothetical.js';
import { nextTestStart } from './next-deep-test.js';
import { percent } from './posterior.js';
import { reinstatement } from './reinstatement.js';
import { dateOf, durationOf, holdingGates, type View } from './view.js';

const DAY_US = 86_400_000_000;
const MAX_UNITS_NAMED = 8;

/** What would have to happen for another state. */
export function whatWouldChange(view: View): string[] {
  switch (view.device.state) {
    case 'HEALTHY':
      return ['SUSPECT: a mismatch that passes gate 1 (integrity) and that gate 2 (locality) does not call software.'];
    case 'SUSPECT':
      return [...towardsQuarantine(view), ...towardsHealth(view)];
    case 'QUARANTINED':
    case 'DEEP_TEST':
      return [...towardsReinstatement(view), towardsCondemnation(view)];
    case 'CONDEMNED':
      return ['Nothing: CONDEMNED is final.'];
  }
}

function towardsQuarantine(view: View): string[] {
  const { assessment, config, device } = view;
  if (device.sms.length === 1)
    return ['QUARANTINED: only an operator orders that, for no other SM of this device can check a result.'];
  if (!assessment.quarantine) return [`QUARANTINED: ${assessment.missing}${computed(view)}${guards(view)}.`];
  const asked = proposalOf(device, 'QUARANTINE');
  if (asked !== undefined) return [`QUARANTINED: an operator approves ${asked.id}.`];
  const again = askingAgain(view);
  if (again !== undefined && !again.actsToo) return [again.text];
  const holds = holdingGates(view).map((gate) => `QUARANTINED: ${opening(gate)}.`);
  if (holds.length > 0) return again === undefined ? holds : [...holds, again.text];
  return config.mode === 'observe'
    ? ['QUARANTINED: `correlation_engine.mode: enforce`, or an order of an operator.']
    : [];
}

/** A quarantine that was asked for and not approved; with `actsToo` the engine may go on without an answer. undefined = nothing holds it back. */
function askingAgain(view: View): { text: string; actsToo: boolean } | undefined {
  const declined = stillDeclined(view, 'QUARANTINE');
  if (declined === undefined) return undefined;
  const rejected = declined.how === 'REJECTED';
  const what = rejected
    ? 'for an operator said no to what is known so far'
    : 'for nobody answered, and the engine asks again then';
  const order = `an order of an operator (\`${orderCommand('QUARANTINE', view.device.id)}\`)`;
  const text = `QUARANTINED: another mismatch, ${what}; or ${order}.`;
  return { text, actsToo: !rejected && (view.config.mode === 'observe' || !view.config.requireApproval) };
}

/** What the model itself answers to further wrong results. */
function computed(view: View): string {
  const further = failuresToQuarantine(view);
  if (further === undefined) return '';
  const { unit, failures, probability } = further;
  const what = unit.family === JOB ? 'lost comparison' : 'wrong result';
  const times = failures === 1 ? `one more ${what}` : `${failures} more ${what}s`;
  return ` (${times} of ${unitName(unit)} now would make a defect ${percent(probability)} likely)`;
}

function guards(view: View): string {
  const names = holdingGates(view)
    .filter((gate) => gate.number > 2)
    .map((gate) => `${gate.number} (${gate.name})`);
  return names.length === 0 ? '' : `; and gate ${names.join(', ')} must open`;
}

/** What opens a gate that holds. */
function opening(gate: GateOutcome): string {
  switch (gate.name) {
    case 'integrity':
      return 'a mismatch with an intact, agreed golden on a stable SM and without a loud fault';
    case 'locality':
      return 'a mismatch of the same seed that enough other SMs pass and that they do not share';
    case 'cohort':
      return 'more clean devices of its cohort (gates.cohort_min_gpus, gates.cohort_min_nodes), or more of its SMs passing the self test at agent start (gates.cohort_selftest_fraction)';
    case 'dwell':
      return `time alone: ${gate.inputs.elapsed_seconds} of ${gate.inputs.dwell_seconds} s have passed (${gate.inputs.setting})`;
    case 'breadth':
      return 'the end of the incident, a wrong digest of its own, or an order of an operator';
    case 'node':
      return '7 days without a mismatch on the other devices of the node, or an order of an operator';
    case 'rate-limit':
      return 'room in the limit of automatic quarantines (gates.rate_limit), or an order of an operator';
  }
}

function towardsHealth(view: View): string[] {
  const { device, config, nowUs } = view;
  const days = config.gates.followup_days;
  const quiet = (device.lastObservationUs ?? nowUs) + days * DAY_US - nowUs;
  const needed = config.gates.burst_executions;
  const short = device.units.filter((unit) => unit.clean < needed).length;
  const runs =
    short === 0
      ? ''
      : `, and ${needed} clean executions of ${short === 1 ? 'the suspected unit' : `each of ${short} suspected units`}`;
  return [
    `HEALTHY: ${days} days without a mismatch (${durationOf(quiet)} to go)${runs}${acquittal(view, nowUs + Math.max(0, quiet))}.`,
  ];
}

/** Clean executions that the odds need, beyond those that are asked for anyway. */
function acquittal(view: View, atUs: number): string {
  const executions = cleanExecutionsUntil(view, CLEARED_ODDS, atUs);
  if (executions === 0) return '';
  const goal = `a defect is less than ${percent(CLEARED_ODDS / (1 + CLEARED_ODDS))} likely`;
  return executions === undefined
    ? `; so much speaks against it that clean runs alone do not lead to where ${goal}`
    : `; until ${goal}, about ${executions} more clean executions of each unit that failed`;
}

function towardsCondemnation(view: View): string {
  const { device, config } = view;
  const asked = proposalOf(device, 'CONDEMN');
  if (asked !== undefined) return `CONDEMNED: an operator approves ${asked.id}.`;
  const hours = config.maxQuarantineHours;
  const declined = stillDeclined(view, 'CONDEMN');
  if (declined !== undefined)
    return `CONDEMNED: only an operator orders that; one is asked again on ${dateOf(declined.declinedUs + hoursUs(hours))} (state_machine.max_quarantine_hours).`;
  return `CONDEMNED: only an operator orders that; after ${hours} hours out of service (state_machine.max_quarantine_hours), or if a deep test shows the fault again, one is asked.`;
}

function towardsReinstatement(view: View): string[] {
  const { device, config } = view;
  const asked = proposalOf(device, 'REINSTATE');
  if (asked !== undefined) return [`HEALTHY: an operator approves ${asked.id}.`];
  const test = openDeepTestOf(device);
  if (test === undefined) return [`HEALTHY: ${withoutTest(view)}.`];
  const units = reinstatement(device, config);
  const left = units
    .slice(0, MAX_UNITS_NAMED)
    .map((unit) => `${familyName(unit.family)} on SM ${unit.sm} ${unit.clean} of ${unit.needed}`);
  const more = units.length > left.length ? `, and ${units.length - left.length} more units` : '';
  const sweep = test.sweepSeconds === 0 ? '' : `, then ${test.sweepSeconds} s of every family on every SM`;
  if (units.length === 0)
    return [`HEALTHY: ${test.sweepSeconds} s of every family on every SM, cleanly; one failure ends it.`];
  return [`HEALTHY: clean executions in the deep test (${left.join(', ')}${more})${sweep}; one failure ends it.`];
}

function withoutTest(view: View): string {
  const { device, config } = view;
  const { units, out, wouldBe } = device;
  const order = 'an operator orders REINSTATE or SCHEDULE_DEEP_TEST';
  if (units.length === 0) return 'an operator orders REINSTATE';
  if (out?.byEngine === false) return order;
  if (wouldBe === 'HEALTHY') return `\`correlation_engine.mode: enforce\`${asksFirst(config)}; or ${order}`;
  if (stillDeclined(view, 'REINSTATE') !== undefined) return `${order}; its deep test was passed, and nobody agreed`;
  if (config.mode === 'observe') return `${order}; observe mode starts no deep test by itself`;
  if (config.requireApproval && stillDeclined(view, 'SCHEDULE_DEEP_TEST') !== undefined)
    return `${order}; nobody agreed to the deep test that was asked for`;
  return `${nextTestStart(view)}; or ${order}`;
}

function asksFirst({ requireApproval }: CoreConfig): string {
  return requireApproval ? ', in which an operator is asked first' : '';
}
