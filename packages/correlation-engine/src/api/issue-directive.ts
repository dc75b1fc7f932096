import {
  type IssueDirectiveRequest,
  IssueDirectiveRequest_Action,
  type IssueDirectiveResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import { findProposal, type OperatorAction, type OperatorRecord } from '../core.js';
import type { OrderTable, Tables } from '../store/schema.js';
import { decidedOtherwise, findDecided, transitionOf } from './decided.js';
import { toTransition } from './explain-decision.js';
import { findDevice } from './find-device.js';
import { checkEvidence, checkText, invalid, MAX_ID_BYTES, MAX_REASON_BYTES, refused } from './order-checks.js';
import { pendingDirective } from './pending-view.js';

const ACTIONS: ReadonlyMap<number, OperatorAction> = new Map([
  [IssueDirectiveRequest_Action.QUARANTINE, 'QUARANTINE'],
  [IssueDirectiveRequest_Action.REINSTATE, 'REINSTATE'],
  [IssueDirectiveRequest_Action.SCHEDULE_DEEP_TEST, 'SCHEDULE_DEEP_TEST'],
  [IssueDirectiveRequest_Action.CONDEMN, 'CONDEMN'],
]);

/**
 * Carries out operators' orders. An id stands for one order for ever: repeating it, after an answer that was lost or by accident,
 * changes nothing.
 */
export class Orders {
  readonly #committer: Committer;
  readonly #db: Kysely<Tables>;
  /** The same id at the same time: the second waits for the first. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(committer: Committer, db: Kysely<Tables>) {
    this.#committer = committer;
    this.#db = db;
  }

  /** @throws SentinelError INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION or UNAVAILABLE */
  async issue(request: IssueDirectiveRequest, caller: Identity): Promise<IssueDirectiveResponse> {
    const record = toRecord(request, caller, findDevice(this.#committer.state, request.gpu).id);
    const { directiveId } = record;
    const work = (this.#underWay.get(directiveId) ?? Promise.resolve()).then(() => this.#once(record));
    const settled = work.catch(() => {});
    this.#underWay.set(directiveId, settled);
    try {
      await work;
    } finally {
      if (this.#underWay.get(directiveId) === settled) this.#underWay.delete(directiveId);
    }
    return this.#answer(directiveId, record);
  }

  async #once(record: OperatorRecord): Promise<void> {
    const before = await this.#find(record.directiveId);
    if (before !== undefined && !isSame(before, record)) throw taken(before);
    if (before !== undefined) return;
    const decided = await findDecided(this.#db, record.directiveId);
    if (decided !== undefined) throw taken({ ...decided, directive_id: decided.id });
    await this.#carryOut(record);
  }

  #find(directiveId: string): Promise<OrderTable | undefined> {
    return this.#db.selectFrom('orders').selectAll().where('directive_id', '=', directiveId).executeTakeFirst();
  }

  #carryOut(record: OperatorRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#committer.submit({
        kind: 'order',
        record,
        committed: ({ refusal }) => (refusal === null ? resolve() : reject(refused(refusal, 'gpu'))),
        failed: reject,
      });
    });
  }

  async #answer(directiveId: string, { requiresApproval = false }: OperatorRecord): Promise<IssueDirectiveResponse> {
    if (requiresApproval) return this.#answerOfProposal(directiveId);
    const row = await this.#db
      .selectFrom('orders')
      .innerJoin('transitions', 'transitions.event_id', 'orders.event_id')
      .selectAll('transitions')
      .where('orders.directive_id', '=', directiveId)
      .executeTakeFirst();
    return { transition: row === undefined ? undefined : toTransition(row), pending: undefined };
  }

  /** The order waits, or was carried out with the approval of another. @throws SentinelError once it can never be */
  async #answerOfProposal(directiveId: string): Promise<IssueDirectiveResponse> {
    const waiting = findProposal(this.#committer.state, directiveId);
    if (waiting !== undefined) return { transition: undefined, pending: pendingDirective(waiting) };
    const decided = await findDecided(this.#db, directiveId);
    if (decided === undefined || decided.outcome !== 'APPROVED') throw decidedOtherwise(directiveId, decided);
    return { transition: await transitionOf(this.#db, decided), pending: undefined };
  }
}

function toRecord(request: IssueDirectiveRequest, caller: Identity, gpu: string): OperatorRecord {
  const { directiveId, reason } = request;
  const action = ACTIONS.get(request.action);
  if (action === undefined) throw invalid('action', `must be one of ${[...ACTIONS.values()].join(', ')}`);
  checkText('directive_id', directiveId, MAX_ID_BYTES);
  checkText('reason', reason, MAX_REASON_BYTES);
  const { requiresApproval, evidence } = request;
  checkEvidence(evidence);
  return {
    kind: 'operator',
    directiveId,
    gpu,
    action,
    reason,
    actor: caller.subject,
    requiresApproval,
    ...(evidence.length === 0 ? {} : { evidence }),
  };
}

function isSame(before: OrderTable, now: OperatorRecord): boolean {
  const same = before.gpu === now.gpu && before.action === now.action && before.reason === now.reason;
  const evidence = JSON.stringify(before.evidence ?? []) === JSON.stringify(now.evidence ?? []);
  return same && evidence && before.requires_approval === (now.requiresApproval ?? false);
}

function taken(before: Pick<OrderTable, 'directive_id' | 'action' | 'gpu'>): SentinelError {
  return new SentinelError({
    code: 'ALREADY_EXISTS',
    message: `directive ${before.directive_id} was ${before.action} of ${before.gpu} and has another content`,
    field: 'directive_id',
    hint: 'Choose another id for another order.',
  });
}
