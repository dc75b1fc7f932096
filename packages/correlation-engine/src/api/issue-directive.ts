import {
  type IssueDirectiveRequest,
  IssueDirectiveRequest_Action,
  type IssueDirectiveResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import type { OperatorAction, OperatorRecord, Refusal } from '../core.js';
import type { OrderTable, Tables } from '../store/schema.js';
import { toTransition } from './explain-decision.js';
import { findDevice } from './find-device.js';

const MAX_ID_BYTES = 128;
const MAX_REASON_BYTES = 1024;
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
    return this.#answer(directiveId);
  }

  async #once(record: OperatorRecord): Promise<void> {
    const before = await this.#find(record.directiveId);
    if (before === undefined) await this.#carryOut(record);
    else if (!isSame(before, record)) throw taken(before);
  }

  #find(directiveId: string): Promise<OrderTable | undefined> {
    return this.#db.selectFrom('orders').selectAll().where('directive_id', '=', directiveId).executeTakeFirst();
  }

  #carryOut(record: OperatorRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#committer.submit({
        kind: 'order',
        record,
        committed: ({ refusal }) => (refusal === null ? resolve() : reject(refused(refusal))),
        failed: reject,
      });
    });
  }

  async #answer(directiveId: string): Promise<IssueDirectiveResponse> {
    const row = await this.#db
      .selectFrom('orders')
      .innerJoin('transitions', 'transitions.event_id', 'orders.event_id')
      .selectAll('transitions')
      .where('orders.directive_id', '=', directiveId)
      .executeTakeFirst();
    return { transition: row === undefined ? undefined : toTransition(row) };
  }
}

function toRecord(request: IssueDirectiveRequest, caller: Identity, gpu: string): OperatorRecord {
  const { directiveId, reason } = request;
  const action = ACTIONS.get(request.action);
  if (action === undefined) throw invalid('action', `must be one of ${[...ACTIONS.values()].join(', ')}`);
  checkText('directive_id', directiveId, MAX_ID_BYTES);
  checkText('reason', reason, MAX_REASON_BYTES);
  return { kind: 'operator', directiveId, gpu, action, reason, actor: caller.subject };
}

function checkText(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > maxBytes) throw invalid(field, `must have 1 to ${maxBytes} bytes`);
  if (text.includes('\0') || !text.isWellFormed()) throw invalid(field, 'must be text');
}

function isSame(before: OrderTable, now: OperatorRecord): boolean {
  return before.gpu === now.gpu && before.action === now.action && before.reason === now.reason;
}

function invalid(field: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${hint}`, field });
}

function taken(before: OrderTable): SentinelError {
  return new SentinelError({
    code: 'ALREADY_EXISTS',
    message: `directive ${before.directive_id} was ${before.action} of ${before.gpu} and has another content`,
    field: 'directive_id',
    hint: 'Choose another id for another order.',
  });
}

function refused({ code, message, hint }: Refusal): SentinelError {
  return new SentinelError({
    code: code === 'NOT_FOUND' ? 'NOT_FOUND' : 'FAILED_PRECONDITION',
    reason: code,
    message,
    field: 'gpu',
    hint,
  });
}
