import { deviceOf, editDevice } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { OperatorRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { answerCommand } from './answer-command.js';
import { carryOut } from './carry-out.js';
import { problemWith } from './moves.js';
import { addProposal, findProposalIn, proposalOf } from './proposals.js';
import { review } from './review.js';

/**
 * Carries out an operator's order, in observe mode too, or holds it until another operator approves it, or says why not; a
 * refused order changes nothing.
 */
export function applyOperator(step: Step, record: OperatorRecord): void {
  const known = deviceOf(step.draft, record.gpu);
  const refusal =
    taken(step, record) ??
    (known === undefined ? unknown(record) : (problemWith(record.action, known) ?? waiting(known, record)));
  if (refusal !== undefined) {
    step.effects.refusal = refusal;
    return;
  }
  const { action, reason, actor, evidence = [] } = record;
  const device = editDevice(step.draft, record.gpu);
  if (record.requiresApproval === true) {
    addProposal(step, device, {
      id: record.directiveId,
      action,
      cause: 'operator',
      reason,
      proposedBy: actor,
      evidence,
    });
  } else carryOut(step, device, { action, reason, actor, approved: false, evidence, order: record.directiveId });
  review(step, device.id);
}

/** An id stands for one thing: who approves it must get what was shown. */
function taken(step: Step, { directiveId }: OperatorRecord) {
  const found = findProposalIn(step.draft, directiveId);
  if (found === undefined) return undefined;
  const message = `${directiveId} is the ${found.proposal.action} of ${found.device.id} that waits for approval.`;
  const hint = 'Choose another id for another order.';
  return { code: 'CONFLICT' as const, message, hint, field: 'directive_id' as const };
}

function unknown({ gpu }: OperatorRecord) {
  const hint = 'List the known devices with `npx sentinel gpus list`.';
  return { code: 'NOT_FOUND' as const, message: `No device ${gpu} is registered.`, hint };
}

/** A second proposal of the same action would only have to be approved twice. */
function waiting(device: DeviceState, { action, requiresApproval }: OperatorRecord) {
  const proposal = requiresApproval === true ? proposalOf(device, action) : undefined;
  if (proposal === undefined) return undefined;
  const message = `${action} of ${device.id} waits for approval already, as ${proposal.id}.`;
  return {
    code: 'CONFLICT' as const,
    message,
    hint: `Approve or reject that one: \`${answerCommand('approve', proposal.id)}\`.`,
  };
}
