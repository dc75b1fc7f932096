import {
  IssueDirectiveRequest_Action as Action,
  PendingDirective_Cause as Cause,
  type PendingDirective,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { age, enumName, injectedMark, paint, paintState, time } from './format.js';
import { hang } from './wrap.js';

const CAUSES: Readonly<Record<number, string>> = {
  [Cause.OPERATOR]: 'a second person has to agree',
  [Cause.REQUIRE_APPROVAL]: 'require_approval is set',
  [Cause.RATE_LIMIT]: 'the limit of automatic quarantines is used up',
  [Cause.MAX_QUARANTINE]: 'out of service for too long',
  [Cause.REPRODUCED]: 'a deep test showed the fault again',
  [Cause.LOW_SCORE]: 'a deep test was passed, but the score stays low',
};

/** What waits for an operator, each with the command that answers it. */
export function pendingView(pending: readonly PendingDirective[], nowUs: bigint): string {
  if (pending.length === 0) return 'Nothing waits for approval.';
  return pending.map((entry) => entryLines(entry, nowUs).join('\n')).join('\n\n');
}

function entryLines(entry: PendingDirective, nowUs: bigint): string[] {
  const by = entry.proposedBy === '' ? 'the engine' : entry.proposedBy;
  const mark = injectedMark(entry.injected);
  const device = `${entry.gpu} on ${entry.node}, ${paintState(entry.state)}${mark === '' ? '' : ` ${mark}`}`;
  return [
    `${paint('bold', `${enumName(Action, entry.action)} waits for approval`)}: ${entry.directiveId}`,
    ...hang('  device   ', device),
    ...hang('  why      ', entry.reason),
    ...entry.evidence.flatMap((text) => hang('  evidence ', text)),
    ...hang(
      '  asked    ',
      `${age(entry.proposedUs, nowUs)} by ${by}: ${CAUSES[entry.cause] ?? 'for a reason unknown here'}`,
    ),
    ...hang('  expires  ', time(entry.expiresUs)),
    ...hang('  answer   ', `sentinel approve ${entry.directiveId} --reason TEXT   (or reject)`),
  ];
}
