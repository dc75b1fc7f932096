import type {
  AddHoldRequest,
  AddHoldResponse,
  GetPrunedResponse,
  ListHoldsRequest,
  ListHoldsResponse,
  PlanPruningRequest,
  PlanPruningResponse,
  PruneEntriesRequest,
  PruneEntriesResponse,
  PruningPlan,
  RemoveHoldRequest,
  RemoveHoldResponse,
  Hold as WireHold,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { unary } from '@sentinel/service-kit/grpc-server';
import type { Hold } from '../retention/holds.js';
import type { PrunePlan, PruneRequest } from '../retention/plan.js';
import type { RpcContext, WriterContext } from './context.js';
import { outOfRange, publicLedgerError, publicReadError } from './errors.js';

/** What an operator's command, where it is the writer itself, has too. */
export type WriterGear = Pick<WriterContext, 'ledger' | 'keeper'>;

/** Methods of the writer alone. */
export function retentionMethods(context: WriterContext) {
  const { log } = context;
  return {
    planPruning: unary<PlanPruningRequest, PlanPruningResponse>((request) => planPruning(context, request), log),
    pruneEntries: unary<PruneEntriesRequest, PruneEntriesResponse>(
      (request, { subject }) => pruneEntries(context, request, subject),
      log,
    ),
    addHold: unary<AddHoldRequest, AddHoldResponse>((request, { subject }) => addHold(context, request, subject), log),
    removeHold: unary<RemoveHoldRequest, RemoveHoldResponse>(
      (request, { subject }) => removeHold(context, request, subject),
      log,
    ),
    listHolds: unary<ListHoldsRequest, ListHoldsResponse>(() => listHolds(context), log),
  };
}

export function getPruned({ view }: RpcContext): GetPrunedResponse {
  const { checkpoint, reads } = view();
  const { leaves, details, prunings } = reads.pruned;
  return {
    leavesEnd: BigInt(leaves),
    detailsEnd: BigInt(details),
    entries: prunings.map(BigInt),
    checkpoint: checkpoint.note,
  };
}

export async function planPruning(
  { ledger, keeper }: WriterGear,
  request: PlanPruningRequest,
): Promise<PlanPruningResponse> {
  const { plan, token } = await recorded(keeper.plan(requestOf(request)));
  return { plan: planToWire(plan), confirmToken: token, checkpoint: ledger.checkpoint.note };
}

export async function pruneEntries(
  { ledger, keeper }: WriterGear,
  request: PruneEntriesRequest,
  by: string,
): Promise<PruneEntriesResponse> {
  const { plan, intentSeq, doneSeq, freedBytes } = await recorded(
    keeper.prune(requestOf(request), request.confirmToken, by),
  );
  return {
    plan: planToWire(plan),
    intentSeq: BigInt(intentSeq),
    doneSeq: BigInt(doneSeq),
    freedBytes: BigInt(freedBytes),
    checkpoint: ledger.checkpoint.note,
  };
}

export async function addHold({ keeper }: WriterGear, request: AddHoldRequest, by: string): Promise<AddHoldResponse> {
  const { gpu, producer, reason } = request;
  const scope = { gpu, producer, fromUs: time(request.fromUs, 'from_us'), toUs: time(request.toUs, 'to_us') };
  return { hold: holdToWire(await recorded(keeper.addHold(scope, reason, by))) };
}

export async function removeHold(
  { keeper }: WriterGear,
  { id, reason }: RemoveHoldRequest,
  by: string,
): Promise<RemoveHoldResponse> {
  return { seq: BigInt(await recorded(keeper.removeHold(time(id, 'id'), reason, by))) };
}

export async function listHolds({ keeper }: WriterGear): Promise<ListHoldsResponse> {
  return { holds: (await keeper.holds()).map(holdToWire) };
}

function requestOf({ beforeUs, leaves }: PlanPruningRequest): PruneRequest {
  const us = time(beforeUs, 'before_us');
  if (us === 0) throw outOfRange('before_us', 'before_us is missing');
  return { detailsBeforeUs: us, leavesBeforeUs: leaves ? us : undefined };
}

function planToWire(plan: PrunePlan): PruningPlan {
  return {
    beforeUs: BigInt(plan.request.detailsBeforeUs ?? 0),
    leavesEnd: BigInt(plan.leaves),
    detailsEnd: BigInt(plan.details),
    leaves: BigInt(plan.goneLeaves),
    details: BigInt(plan.goneDetails),
    bytes: BigInt(plan.bytes),
    keptOwn: BigInt(plan.keptOwn),
    keptHeld: BigInt(plan.keptHeld),
    notes: [...plan.notes],
  };
}

function holdToWire({ id, scope, reason, by, addedUs }: Hold): WireHold {
  const { gpu, producer, fromUs, toUs } = scope;
  return {
    id: BigInt(id),
    gpu,
    producer,
    fromUs: BigInt(fromUs),
    toUs: BigInt(toUs),
    reason,
    by,
    addedUs: BigInt(addedUs),
  };
}

function time(value: bigint, field: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw outOfRange(field, `${field} is beyond 2^53`);
  return Number(value);
}

async function recorded<T>(recording: Promise<T>): Promise<T> {
  return await recording.catch((error: unknown) => {
    throw publicReadError(publicLedgerError(error));
  });
}
