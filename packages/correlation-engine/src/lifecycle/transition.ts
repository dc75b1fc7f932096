import { configOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { HealthState } from '../evidence/model/terms.js';
import { confirm } from '../evidence/posterior/shrinkage.js';
import { emit, type Step } from '../evidence/step.js';
import { evidenceDetail, gatesDetail, isInjected, unitsDetail } from './detail.js';
import { actionOf, tellOrchestrators } from './fleet-directives.js';
import { withdrawImpossible } from './proposals.js';

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

export interface Move {
  to: HealthState;
  /** One sentence. */
  reason: string;
  /** Event time. */
  timeUs: number;
  /** Who ordered or approved it; '' = the engine by itself. */
  actor: string;
  /** The engine proposed what `actor` approved. */
  approved?: boolean;
  /** What the operator says that speaks for it; absent = nothing. */
  evidence?: readonly string[];
  /** Id of the order that it carries out; absent = the engine decided. */
  order?: string;
}

/** Changes the state of a draft's device and records it: a transition and its entry for the ledger. */
export function transition(step: Step, device: DeviceState, move: Move): void {
  if (!mayBecome(device.state, move.to)) throw new RangeError(`${device.id}: ${device.state} cannot become ${move.to}`);
  const from = device.state;
  const injected = isInjected(device);
  const { evidence = [] } = move;
  device.state = move.to;
  device.stateSinceUs = move.timeUs;
  device.stateReason = move.reason;
  device.stateActor = move.actor;
  device.wouldBe = null;
  if (move.to === 'CONDEMNED' && !device.injectedEvidence) confirm(step.draft, device, device.units);
  noteService(device, move);
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
      ...(move.order === undefined ? {} : { order: move.order }),
      commit_seq: step.ctx.commitSeq,
      mode: configOf(step.draft).mode,
      node: device.node,
      build_id: device.buildId,
      ...evidenceDetail(evidence),
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
    evidence,
  });
  withdrawImpossible(step, device);
  const action = actionOf(from, move.to);
  if (action === null) return;
  const { to, reason, actor, timeUs } = move;
  tellOrchestrators(step, { action, gpu: device.id, node: device.node, reason, actor, from, to, timeUs, injected });
}

/** What was declined holds until the device leaves or returns to service; a new deep test is a new reason to reinstate. */
function noteService(device: DeviceState, { to, timeUs, actor, approved = false }: Move): void {
  if (to === 'DEEP_TEST') device.declined = device.declined.filter(({ action }) => action === 'CONDEMN');
  if (to === 'HEALTHY') device.out = null;
  else if (to === 'QUARANTINED' && device.out === null)
    device.out = { sinceUs: timeUs, byEngine: actor === '' || approved, failedTests: 0, testedUs: null };
  else return;
  device.declined = [];
}
