import { configOf } from '../evidence/draft.js';
import type { JsonValue } from '../evidence/effects.js';
import { familyName } from '../evidence/families.js';
import type { DeviceState, HealthState } from '../evidence/model.js';
import { confirm } from '../evidence/posterior/shrinkage.js';
import { emit, type Step } from '../evidence/step.js';

/** The way of a device. Only an operator condemns, and CONDEMNED is terminal. */
const ALLOWED: Readonly<Record<HealthState, readonly HealthState[]>> = {
  HEALTHY: ['SUSPECT', 'QUARANTINED'],
  SUSPECT: ['HEALTHY', 'QUARANTINED'],
  QUARANTINED: ['HEALTHY', 'DEEP_TEST', 'CONDEMNED'],
  DEEP_TEST: ['HEALTHY', 'QUARANTINED', 'CONDEMNED'],
  CONDEMNED: [],
};

export function mayBecome(from: HealthState, to: HealthState): boolean {
  return ALLOWED[from].includes(to);
}

/** Something about this device, as it stands, comes from a test build. */
export function isInjected(device: DeviceState): boolean {
  return device.testBuild || device.injectedEvidence;
}

export interface Move {
  to: HealthState;
  /** One sentence. */
  reason: string;
  /** Event time. */
  timeUs: number;
  /** Who ordered it; '' = the engine. */
  actor: string;
}

/** Changes the state of a draft's device and records it: a transition and its entry for the ledger. */
export function transition(step: Step, device: DeviceState, move: Move): void {
  if (!mayBecome(device.state, move.to)) throw new RangeError(`${device.id}: ${device.state} cannot become ${move.to}`);
  const from = device.state;
  const injected = isInjected(device);
  device.state = move.to;
  device.stateSinceUs = move.timeUs;
  device.stateReason = move.reason;
  device.stateActor = move.actor;
  device.wouldBe = null;
  if (move.to === 'CONDEMNED' && !device.injectedEvidence) confirm(step.draft, device, device.units);
  const eventId = emit(
    step,
    'DECISION',
    { gpu: device.id, eventUs: move.timeUs, injected },
    {
      event: 'state_changed',
      from,
      to: move.to,
      reason: move.reason,
      actor: move.actor,
      commit_seq: step.ctx.commitSeq,
      mode: configOf(step.draft).mode,
      node: device.node,
      build_id: device.buildId,
      units: unitsDetail(device),
      gates: gatesDetail(device),
    },
  );
  const { commitSeq } = step.ctx;
  step.effects.transitions.push({
    deviceId: device.id,
    timeUs: move.timeUs,
    from,
    to: move.to,
    reason: move.reason,
    injected,
    eventId,
    commitSeq,
    actor: move.actor,
  });
}

/** At most this many units are named in a ledger entry, which is bounded; the rest are counted. */
const MAX_UNITS_IN_DETAIL = 32;

export function unitsDetail(device: DeviceState): JsonValue[] {
  const named: JsonValue[] = device.units.slice(0, MAX_UNITS_IN_DETAIL).map((unit) => ({
    family: familyName(unit.family),
    sm: unit.sm,
    counted: unit.counted,
    answers: unit.answers,
    unlocated: unit.unlocated,
    excused: unit.excused,
  }));
  const more = device.units.length - named.length;
  return more > 0 ? [...named, { more_units: more }] : named;
}

export function gatesDetail(device: DeviceState): JsonValue[] {
  return device.gates.map((gate) => ({
    gate: gate.number,
    name: gate.name,
    verdict: gate.verdict,
    reason: gate.reason,
  }));
}
