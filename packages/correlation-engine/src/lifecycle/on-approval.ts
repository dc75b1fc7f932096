import { configOf, editDevice } from '../evidence/draft.js';
import type { Refusal } from '../evidence/effects.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Proposal } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { ApprovalRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { carryOut } from './carry-out.js';
import { problemWith } from './moves.js';
import { endProposal, findProposalIn, type Waiting } from './proposals.js';
import { review } from './review.js';

/** An operator approves or rejects what waits for one; a refused answer changes nothing. */
export function applyApproval(step: Step, record: ApprovalRecord): void {
  const found = findProposalIn(step.draft, record.directiveId);
  const refusal =
    found === undefined ? notFound(record) : problemOf(record, found, configOf(step.draft), step.ctx.nowUs);
  if (found === undefined || refusal !== undefined) {
    step.effects.refusal = refusal ?? null;
    return;
  }
  const { proposal } = found;
  const device = editDevice(step.draft, found.device.id);
  const { actor: decidedBy, reason: decisionReason } = record;
  if (record.decision === 'REJECT') {
    endProposal(step, device, proposal, { outcome: 'REJECTED', decidedBy, decisionReason });
  } else approve(step, device, proposal, record);
  review(step, device.id);
}

/** Taken off the list first: the change of state withdraws what is left there and leads nowhere any more. */
function approve(step: Step, device: DeviceState, proposal: Proposal, { actor, reason }: ApprovalRecord): void {
  device.proposals = device.proposals.filter((entry) => entry !== proposal);
  carryOut(step, device, {
    action: proposal.action,
    reason: `${asSentence(proposal.reason)} Approved by ${actor}: ${reason}`,
    actor,
    approved: proposal.proposedBy === '',
    evidence: proposal.evidence ?? [],
    order: proposal.id,
  });
  const ending = { outcome: 'APPROVED' as const, decidedBy: actor, decisionReason: reason };
  endProposal(step, device, proposal, ending, step.effects.transitions[0]?.eventId ?? null);
}

/** Operators seldom end a reason with a full stop. */
function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function problemOf(
  record: ApprovalRecord,
  { proposal, device }: Waiting,
  config: CoreConfig,
  nowUs: number,
): Refusal | undefined {
  if (nowUs >= proposal.expiresUs) {
    const hint = 'Give the order anew if it is still wanted: the evidence stays.';
    return { code: 'EXPIRED', message: `${proposal.id} expired before it was answered.`, hint };
  }
  if (record.decision === 'REJECT') return undefined;
  return secondPerson(record, proposal, config) ?? problemWith(proposal.action, device);
}

/** Four eyes: who proposed it may take it back, and not approve it. */
function secondPerson({ actor }: ApprovalRecord, { id, proposedBy }: Proposal, config: CoreConfig) {
  if (proposedBy !== actor || config.approveOwnProposals) return undefined;
  return {
    code: 'SECOND_PERSON_NEEDED' as const,
    message: `${actor} proposed ${id} and may not approve it.`,
    hint: 'Ask another operator, with a certificate that names its owner, or set correlation_engine.state_machine.approve_own_proposals.',
  };
}

function notFound({ directiveId }: ApprovalRecord): Refusal {
  const hint = 'List what waits with `npx sentinel quarantine pending`.';
  return { code: 'NOT_FOUND', message: `Nothing waits for approval as ${directiveId}.`, hint };
}
