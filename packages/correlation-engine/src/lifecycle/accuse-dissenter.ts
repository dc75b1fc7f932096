import type { CanaryAnswer, CanaryMember, OpenCanary } from '../canary/facts.js';
import { type Dissent, digestOf, type Verdict } from '../canary/vote.js';
import { deviceOf, editDevice } from '../evidence/draft.js';
import { exposureOf } from '../evidence/exposure.js';
import { type GateAnswer, gateOutcome } from '../evidence/gates/outcome.js';
import { noteFailingNode } from '../evidence/incidents.js';
import type { DeviceState } from '../evidence/model/device.js';
import { RunKind } from '../evidence/model/terms.js';
import type { Observed } from '../evidence/observe.js';
import type { Step } from '../evidence/step.js';
import { noteSignal } from '../patterns/signals.js';
import { suspect } from './suspect.js';

/**
 * A device that two others outvoted gets one hard failure: nothing more if the same run failed against the golden, too, and counts
 * already. What the SM of another device computed is what the locality gate asks for, so one SM is enough to accuse.
 */
export function accuseDissenter(step: Step, canary: OpenCanary, verdict: Verdict, dissent: Dissent): void {
  const member = canary.members.find(({ deviceId }) => deviceId === dissent.deviceId);
  const known = deviceOf(step.draft, dissent.deviceId);
  if (known === undefined || member === undefined || member.answer === null) return;
  // It answered and was taken out before the vote: the outcome names it, and nothing more is asked of it.
  if (known.replaced !== null) return;
  const device = editDevice(step.draft, known.id);
  noteSignal(device, 'canary', member.answer.timeUs);
  if (member.answer.counted) return;
  const sm = device.sms[dissent.positions[0] ?? 0];
  if (sm === undefined) return;
  const observed = observeDissent(step, device, { canary, verdict, dissent, member, answer: member.answer, sm });
  if (device.state === 'HEALTHY' || device.state === 'SUSPECT')
    device.gates = [...observed.gates, ...device.gates.slice(2)];
  step.effects.observations.push(observed.effect);
  if (!observed.believed) return;
  device.injectedEvidence ||= member.answer.testBuild;
  noteFailingNode(step, device, observed.effect);
  const ran = exposureOf(step.draft, device.id, canary.family);
  const { bin, timeUs, buildId } = member.answer;
  const circumstances = { bin, ranBefore: ran?.executions ?? 0, sinceUs: Math.min(ran?.firstRunUs ?? timeUs, timeUs) };
  suspect(step, device, { observed, circumstances, buildId, why: 'two other devices outvoted' });
}

interface Outvoted {
  canary: OpenCanary;
  verdict: Verdict;
  dissent: Dissent;
  member: CanaryMember;
  answer: CanaryAnswer;
  sm: number;
}

function observeDissent(
  step: Step,
  device: DeviceState,
  { canary, verdict, dissent, member, answer, sm }: Outvoted,
): Observed {
  const { nowUs, commitSeq } = step.ctx;
  const ran = answer.digests.filter((digest) => digest !== 0);
  const actual = answer.digests[dissent.positions[0] ?? 0] ?? 0;
  const believed = !answer.loudFault || !step.gates.has('integrity');
  // Where all its SMs dissent the device is accused as a whole.
  const accusesUnit = ran.length === 1 || digestOf(answer.digests) === verdict.digest;
  const asked = canary.suspect === device.id && device.firstObservationUs !== null;
  return {
    effect: {
      deviceId: device.id,
      node: member.node,
      // The observation is made by the vote, not by a record of the device's spool: it is known by the canary and its end.
      spoolId: canary.id,
      sequence: commitSeq,
      row: canary.members.indexOf(member),
      commitSeq,
      timeUs: answer.timeUs,
      family: canary.family,
      sm,
      kind: RunKind.CANARY,
      epoch: canary.epoch,
      index: canary.index,
      lane: 0,
      iteration: 0,
      operands: [],
      expected: [verdict.digest],
      actual: [actual],
      expectedDigest: verdict.digest,
      actualDigest: actual,
      mismatchCount: 1,
      siblingsRun: ran.length - 1,
      siblingsPassed: ran.filter((digest) => digest === verdict.digest).length,
      siblingsSameDigest: ran.filter((digest) => digest === actual).length - 1,
      smStable: true,
      warp: undefined,
      subPartition: undefined,
      withinIterations: undefined,
      address: undefined,
      counted: believed,
      answer: believed && asked,
      heldBy: believed ? null : 'integrity',
      injected: answer.testBuild,
    },
    believed,
    suspicious: believed,
    accusesUnit,
    ...(accusesUnit ? {} : { ofWholeDevice: true as const }),
    gates: [
      gateOutcome('integrity', integrityOf(believed), nowUs),
      gateOutcome('locality', outvoted(device, canary, verdict, dissent, ran.length), nowUs),
    ],
  };
}

function integrityOf(believed: boolean): GateAnswer {
  const inputs = { batch: 'authentic', loud_fault: believed ? 'no' : 'yes', compared_with: 'other devices' };
  return believed
    ? { verdict: 'PASS', reason: 'The answers are authentic, and no loud fault fell into the run.', inputs }
    : { verdict: 'HOLD', reason: 'A loud fault fell into the run and is reported as such.', inputs };
}

function outvoted(
  device: DeviceState,
  canary: OpenCanary,
  verdict: Verdict,
  dissent: Dissent,
  ran: number,
): GateAnswer {
  const others = canary.members.map(({ deviceId }) => deviceId).filter((id) => id !== device.id);
  return {
    verdict: 'PASS',
    reason: `${others.join(' and ')} computed the same for one seed, and ${device.id} something else: it alone is accused.`,
    inputs: {
      canary: canary.id,
      agreed_digest: String(verdict.digest),
      sms_that_ran_the_seed: String(ran),
      sms_outvoted: String(dissent.positions.length),
    },
  };
}
