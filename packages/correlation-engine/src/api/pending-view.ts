import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  IssueDirectiveRequest_Action,
  type PendingDirective,
  PendingDirective_Cause,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { isInjected, type ProposalCause, type Waiting } from '../core.js';

const CAUSES: Readonly<Record<ProposalCause, PendingDirective_Cause>> = {
  operator: PendingDirective_Cause.OPERATOR,
  'require-approval': PendingDirective_Cause.REQUIRE_APPROVAL,
  'rate-limit': PendingDirective_Cause.RATE_LIMIT,
  'max-quarantine': PendingDirective_Cause.MAX_QUARANTINE,
  reproduced: PendingDirective_Cause.REPRODUCED,
  'low-score': PendingDirective_Cause.LOW_SCORE,
};

/** A proposal as operators see it. */
export function pendingDirective({ device, proposal }: Waiting): PendingDirective {
  return {
    directiveId: proposal.id,
    gpu: device.id,
    action: IssueDirectiveRequest_Action[proposal.action],
    cause: CAUSES[proposal.cause],
    reason: proposal.reason,
    proposedBy: proposal.proposedBy,
    proposedUs: BigInt(proposal.proposedUs),
    expiresUs: BigInt(proposal.expiresUs),
    node: device.node,
    state: GpuState[device.state],
    injected: isInjected(device),
    evidence: [...(proposal.evidence ?? [])],
  };
}
