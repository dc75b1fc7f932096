/** Legal holds: what no pruning takes until an operator removes the hold. Each step is an entry of the log. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { MAX_LP8_BYTES } from '../leaf/leaf.js';
import type { LedgerStore } from '../storage/store.js';
import { type Recorded, recordedOf } from './chain.js';
import { type Scope, scopeJson, scopeOf } from './scope.js';

/** All of them have to fit into the entry of a pruning. */
export const MAX_HOLDS = 200;
const MAX_REASON_CHARACTERS = 1000;

export interface Hold {
  /** Entry that made it. */
  readonly id: number;
  readonly scope: Scope;
  readonly reason: string;
  readonly by: string;
  readonly addedUs: number;
}

/** Holds in force, oldest first. */
export async function readHolds(store: LedgerStore): Promise<Hold[]> {
  const removed = new Set<unknown>();
  const holds: Hold[] = [];
  for await (const recorded of recordedOf(store, 'hold')) {
    if (recorded.detail['action'] === 'remove') removed.add(recorded.detail['hold']);
    else if (!removed.has(recorded.seq)) holds.unshift(holdOf(recorded));
  }
  return holds;
}

/** Detail of the entry that makes a hold. @throws SentinelError INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
export function addedHold(scope: Scope, reason: string, by: string, inForce: readonly Hold[]) {
  if (scope.gpu === '' && scope.producer === '' && scope.fromUs === 0 && scope.toUs === 0)
    throw invalid('gpu', 'a hold needs a GPU, a producer or a time range');
  for (const [field, text] of [
    ['gpu', scope.gpu],
    ['producer', scope.producer],
  ] as const)
    if (Buffer.byteLength(text) > MAX_LP8_BYTES) throw invalid(field, `${field} is longer than ${MAX_LP8_BYTES} bytes`);
  if (scope.toUs !== 0 && scope.toUs <= scope.fromUs) throw invalid('to_us', 'the time range is empty');
  if (inForce.length >= MAX_HOLDS) {
    throw new SentinelError({
      code: 'RESOURCE_EXHAUSTED',
      message: `${MAX_HOLDS} holds are in force, which is as many as there can be`,
      hint: 'Remove one that is no longer needed, or hold a time range that covers several.',
    });
  }
  return { ...scopeJson(scope), action: 'add', by, reason: checkedReason(reason) };
}

/** Detail of the entry that removes one. @throws SentinelError NOT_FOUND, INVALID_ARGUMENT */
export function removedHold(id: number, reason: string, by: string, inForce: readonly Hold[]) {
  if (!inForce.some((hold) => hold.id === id)) {
    throw new SentinelError({
      code: 'NOT_FOUND',
      field: 'id',
      message: `no hold ${id} is in force`,
      hint: '`sentinel-audit-ledger hold list` shows those that are.',
    });
  }
  return { action: 'remove', by, hold: id, reason: checkedReason(reason) };
}

function holdOf({ seq, receivedUs, detail }: Recorded): Hold {
  const scope = scopeOf(detail) ?? { gpu: '', producer: '', fromUs: 0, toUs: 0 };
  return { id: seq, scope, reason: String(detail['reason']), by: String(detail['by']), addedUs: receivedUs };
}

function checkedReason(reason: string): string {
  const trimmed = reason.trim();
  if (trimmed === '' || trimmed.length > MAX_REASON_CHARACTERS || !trimmed.isWellFormed())
    throw invalid('reason', `reason must have 1 to ${MAX_REASON_CHARACTERS} characters`);
  return trimmed;
}

function invalid(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}
