import { hash } from 'node:crypto';
import { attentiveIds, configOf, type Draft, deviceOf } from '../evidence/draft.js';
import type { JsonValue, ProposalOutcome } from '../evidence/effects.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Declined, OperatorAction, Proposal, ProposalCause } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { CoreState } from '../evidence/state.js';
import { emit, type Step } from '../evidence/step.js';
import { evidenceDetail, gatesDetail, isInjected, unitsDetail } from './detail.js';
import { isPossible } from './moves.js';

/** Whole microseconds: times are integers. */
export function hoursUs(hours: number): number {
  return Math.round(hours * 3_600_000_000);
}

export interface Wanted {
  action: OperatorAction;
  cause: ProposalCause;
  /** One sentence. */
  reason: string;
}

export function proposalOf(device: DeviceState, action: OperatorAction): Proposal | undefined {
  return device.proposals.find((proposal) => proposal.action === action);
}

/** A proposal, and the device that it is about. */
export interface Waiting {
  device: DeviceState;
  proposal: Proposal;
}

/** Every proposal of the fleet, in no order. O(devices that need attention). */
export function waitingProposals(state: CoreState): Waiting[] {
  return [...state.attentive].flatMap((id) => waitingOn(state.devices.get(id)));
}

export function findProposal(state: CoreState, id: string): Waiting | undefined {
  return waitingProposals(state).find(({ proposal }) => proposal.id === id);
}

/** As the draft sees it. */
export function findProposalIn(draft: Draft, id: string): Waiting | undefined {
  return attentiveIds(draft)
    .flatMap((deviceId) => waitingOn(deviceOf(draft, deviceId)))
    .find(({ proposal }) => proposal.id === id);
}

function waitingOn(device: DeviceState | undefined): Waiting[] {
  return device?.proposals.map((proposal) => ({ device, proposal })) ?? [];
}

/**
 * The engine asks an operator for an action instead of taking it: PENDING. Nothing happens where the same action waits already
 * or where nothing new speaks for it since it was declined. Not for observe mode, which asks for nothing.
 */
export function propose(step: Step, device: DeviceState, wanted: Wanted): void {
  if (!mayPropose(step, device, wanted.action)) return;
  const made = [wanted.action, device.id, step.ctx.commitSeq, step.source, step.effects.proposals.length];
  const id = `proposal-${hash('sha256', JSON.stringify(made)).slice(0, 24)}`;
  addProposal(step, device, { ...wanted, id, proposedBy: '' });
}

export function mayPropose(step: Step, device: DeviceState, action: OperatorAction): boolean {
  if (proposalOf(device, action) !== undefined) return false;
  const declined = declinedOf(device, action);
  return declined === undefined || isNews(device, declined, configOf(step.draft), step.ctx.nowUs);
}

/** Something new speaks for the action since: another mismatch; for a condemnation, so many more hours out of service. */
export function isNews(
  device: DeviceState,
  { action, declinedUs }: Declined,
  config: CoreConfig,
  nowUs: number,
): boolean {
  if (action === 'QUARANTINE') return (device.lastObservationUs ?? 0) > declinedUs;
  return action === 'CONDEMN' && nowUs >= declinedUs + hoursUs(config.maxQuarantineHours);
}

/** An operator said no to this action on this evidence: the engine does not take it by itself either. */
export function isRejected(step: Step, device: DeviceState, action: OperatorAction): boolean {
  const declined = declinedOf(device, action);
  if (declined?.how !== 'REJECTED') return false;
  return !isNews(device, declined, configOf(step.draft), step.ctx.nowUs);
}

export function declinedOf(device: DeviceState, action: OperatorAction): Declined | undefined {
  return device.declined.find((entry) => entry.action === action);
}

export function addProposal(
  step: Step,
  device: DeviceState,
  order: Wanted & Pick<Proposal, 'id' | 'proposedBy' | 'evidence'>,
): void {
  const { id, action, cause, reason, proposedBy, evidence = [] } = order;
  const proposedUs = step.ctx.nowUs;
  const expiresUs = proposedUs + hoursUs(configOf(step.draft).approvalExpiryHours);
  const proposal = { id, action, cause, reason, proposedBy, proposedUs, expiresUs, ...evidenceDetail(evidence) };
  device.proposals = [...device.proposals, proposal];
  const entry = { event: 'approval_requested', expires_us: expiresUs };
  announce(step, device, proposal, { ...entry, units: unitsDetail(device), gates: gatesDetail(device) });
  push(step, device, proposal, { outcome: 'PENDING', decidedBy: '', decisionReason: '' }, null);
}

export interface Ending {
  outcome: Exclude<ProposalOutcome, 'PENDING'>;
  /** '' = nobody. */
  decidedBy: string;
  decisionReason: string;
}

/** A proposal waits no longer. `eventId` = of the transition that its approval made. */
export function endProposal(
  step: Step,
  device: DeviceState,
  proposal: Proposal,
  ending: Ending,
  eventId: string | null = null,
): void {
  device.proposals = device.proposals.filter((entry) => entry !== proposal);
  const { outcome, decidedBy, decisionReason } = ending;
  if ((outcome === 'REJECTED' || outcome === 'EXPIRED') && proposal.proposedBy === '') {
    const others = device.declined.filter(({ action }) => action !== proposal.action);
    device.declined = [...others, { action: proposal.action, how: outcome, declinedUs: step.ctx.nowUs }];
  }
  const event = `approval_${outcome.toLowerCase()}`;
  announce(step, device, proposal, { event, actor: decidedBy, decision_reason: decisionReason });
  push(step, device, proposal, ending, eventId);
}

/** What nobody answered in time is dropped; the evidence stays. */
export function expireProposals(step: Step, device: DeviceState): void {
  for (const proposal of device.proposals) {
    if (proposal.expiresUs > step.ctx.nowUs) continue;
    const decisionReason = 'Nobody answered in time.';
    endProposal(step, device, proposal, { outcome: 'EXPIRED', decidedBy: '', decisionReason });
  }
}

export function nextExpiryUs(device: DeviceState): number | null {
  return device.proposals.length === 0 ? null : Math.min(...device.proposals.map(({ expiresUs }) => expiresUs));
}

/** The engine's own proposal of this action became pointless. */
export function withdraw(step: Step, device: DeviceState, action: OperatorAction, why: string): void {
  const proposal = proposalOf(device, action);
  if (proposal?.proposedBy !== '') return;
  endProposal(step, device, proposal, { outcome: 'WITHDRAWN', decidedBy: '', decisionReason: why });
}

/** The device is gone. */
export function withdrawAll(step: Step, device: DeviceState, why: string): void {
  const ending = { outcome: 'WITHDRAWN' as const, decidedBy: '', decisionReason: why };
  for (const proposal of device.proposals) endProposal(step, device, proposal, ending);
}

/** After a change of state: whoever proposed it, what leads nowhere from here waits no longer. */
export function withdrawImpossible(step: Step, device: DeviceState): void {
  for (const proposal of device.proposals) {
    if (isPossible(proposal.action, device.state)) continue;
    const decisionReason = `The device is ${device.state} now.`;
    endProposal(step, device, proposal, { outcome: 'WITHDRAWN', decidedBy: '', decisionReason });
  }
}

function announce(
  step: Step,
  device: DeviceState,
  proposal: Proposal,
  detail: { event: string; [key: string]: JsonValue },
): void {
  const { id, action, cause, reason, proposedBy, evidence = [] } = proposal;
  const subject = { gpu: device.id, eventUs: step.ctx.nowUs, injected: isInjected(device) };
  const common = { directive: id, action, cause, reason, proposed_by: proposedBy, node: device.node };
  emit(step, 'APPROVAL', subject, { ...common, ...evidenceDetail(evidence), state: device.state, ...detail });
}

function push(
  step: Step,
  device: DeviceState,
  proposal: Proposal,
  ending: { outcome: ProposalOutcome; decidedBy: string; decisionReason: string },
  eventId: string | null,
): void {
  const decidedUs = ending.outcome === 'PENDING' ? 0 : step.ctx.nowUs;
  step.effects.proposals.push({ deviceId: device.id, proposal, ...ending, decidedUs, eventId });
}
