import type {
  ApproveRequest,
  ApproveResponse,
  ListPendingRequest,
  ListPendingResponse,
  RejectRequest,
  RejectResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '@sentinel/service-kit/auth';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import { type ApprovalRecord, findProposal, type Refusal, type Waiting, waitingProposals } from '../core.js';
import type { ProposalTable, Tables } from '../store/schema.js';
import { decidedOtherwise, findDecided, transitionOf } from './decided.js';
import { badPageToken, pageLimit } from './limits.js';
import { checkText, MAX_ID_BYTES, MAX_REASON_BYTES, refused } from './order-checks.js';
import { pendingDirective } from './pending-view.js';

const TOKEN = /^(\d{1,16})\.(.{1,128})$/s;
const OUTCOMES = { APPROVE: 'APPROVED', REJECT: 'REJECTED' } as const;

/** What waits for an operator, and operators' answers. The same answer again changes nothing and gets the same reply. */
export class Approvals {
  readonly #committer: Committer;
  readonly #db: Kysely<Tables>;

  constructor(committer: Committer, db: Kysely<Tables>) {
    this.#committer = committer;
    this.#db = db;
  }

  /** Oldest first. @throws SentinelError INVALID_ARGUMENT */
  list(request: ListPendingRequest): ListPendingResponse {
    const limit = pageLimit(request.limit);
    const after = readToken(request.pageToken);
    const waiting = waitingProposals(this.#committer.state)
      .filter((entry) => after === null || compare(entry.proposal, after) > 0)
      .sort((a, b) => compare(a.proposal, b.proposal));
    const page = waiting.slice(0, limit);
    return { pending: page.map(pendingDirective), nextPageToken: waiting.length > limit ? tokenOf(page.at(-1)) : '' };
  }

  /** @throws SentinelError INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION or UNAVAILABLE; likewise below */
  async approve(request: ApproveRequest, caller: Identity): Promise<ApproveResponse> {
    const row = await this.#decide(toRecord('APPROVE', request, caller));
    return { transition: await transitionOf(this.#db, row) };
  }

  async reject(request: RejectRequest, caller: Identity): Promise<RejectResponse> {
    await this.#decide(toRecord('REJECT', request, caller));
    return {};
  }

  async #decide(record: ApprovalRecord): Promise<ProposalTable> {
    const { directiveId } = record;
    const refusal = findProposal(this.#committer.state, directiveId) === undefined ? null : await this.#submit(record);
    // Another answer may have been faster.
    if (refusal !== null && refusal.code !== 'NOT_FOUND') throw refused(refusal, 'directive_id');
    const row = await findDecided(this.#db, directiveId);
    if (row === undefined || !isAnsweredSo(row, record)) throw decidedOtherwise(directiveId, row);
    return row;
  }

  #submit(record: ApprovalRecord): Promise<Refusal | null> {
    return new Promise((resolve, reject) => {
      this.#committer.submit({
        kind: 'order',
        record,
        committed: ({ refusal }) => resolve(refusal),
        failed: reject,
      });
    });
  }
}

function toRecord(decision: ApprovalRecord['decision'], request: ApproveRequest, caller: Identity): ApprovalRecord {
  const { directiveId, reason } = request;
  checkText('directive_id', directiveId, MAX_ID_BYTES);
  checkText('reason', reason, MAX_REASON_BYTES);
  return { kind: 'approval', directiveId, decision, reason, actor: caller.subject };
}

function isAnsweredSo(row: ProposalTable, { decision, actor, reason }: ApprovalRecord): boolean {
  return row.outcome === OUTCOMES[decision] && row.decided_by === actor && row.decision_reason === reason;
}

type Place = Pick<Waiting['proposal'], 'proposedUs' | 'id'>;

function compare(a: Place, b: Place): number {
  return a.proposedUs - b.proposedUs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function tokenOf(last: Waiting | undefined): string {
  return last === undefined ? '' : `${last.proposal.proposedUs}.${last.proposal.id}`;
}

function readToken(token: string): Place | null {
  if (token === '') return null;
  const [, us, id] = TOKEN.exec(token) ?? [];
  if (us === undefined || id === undefined) throw badPageToken();
  return { proposedUs: Number(us), id };
}
