import type {
  AuditEntry,
  QueryAuditTrailRequest,
  QueryAuditTrailResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SALT_BYTES } from '../detail/commitment.js';
import type { IndexFilter } from '../index/block.js';
import { decodeLeaf, isLeafType } from '../leaf/leaf.js';
import type { StoredEntry } from '../storage/store.js';
import type { RpcContext } from './context.js';
import { outOfRange } from './errors.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Leaves room in a message of 20 MiB: a page ends early once its details are as long as this. */
const MAX_PAGE_BYTES = 8 * 2 ** 20;
const TOKEN = /^(from|to):(\d{1,15})$/;

export async function queryAuditTrail(
  context: RpcContext,
  request: QueryAuditTrailRequest,
): Promise<QueryAuditTrailResponse> {
  const { checkpoint, reads } = context.view();
  const { note, size } = checkpoint;
  const order = request.oldestFirst ? 'oldest' : 'newest';
  const filter = filterOf(request, size);
  const prunedBefore = BigInt(reads.pruned.leaves);
  const { seqs, next } = await reads.query(filter, order, limitOf(request.limit));
  const entries: AuditEntry[] = [];
  let bytes = 0;
  for (const [i, seq] of seqs.entries()) {
    if (bytes > MAX_PAGE_BYTES) {
      const last = seqs[i - 1] ?? seq;
      return {
        entries,
        nextPageToken: token(order, order === 'newest' ? last : last + 1),
        checkpoint: note,
        prunedBefore,
      };
    }
    const [stored] = await reads.readEntries(seq, seq + 1);
    // Pruned since it was found.
    if (stored === undefined && seq < reads.pruned.leaves) continue;
    if (stored === undefined) throw new Error(`entry ${seq} could not be read`);
    bytes += stored.detailPreimage?.length ?? 0;
    entries.push(entryOf(stored));
  }
  return { entries, nextPageToken: next === undefined ? '' : token(order, next), checkpoint: note, prunedBefore };
}

function filterOf(request: QueryAuditTrailRequest, size: number): IndexFilter {
  const { gpu, type, startUs, endUs, pageToken, oldestFirst } = request;
  if (type !== 0 && !isLeafType(type)) throw outOfRange('type', 'type is not one of the known types');
  const [, bound, at] = TOKEN.exec(pageToken) ?? [];
  const wanted = oldestFirst ? 'from' : 'to';
  if (pageToken !== '' && bound !== wanted)
    throw outOfRange('page_token', 'page_token is not one that this query gave');
  const seq = at === undefined ? undefined : Number(at);
  return {
    gpu,
    type: isLeafType(type) ? type : undefined,
    startUs: Number(startUs),
    endUs: endUs === 0n ? Number.POSITIVE_INFINITY : Number(endUs),
    fromSeq: bound === 'from' ? (seq ?? 0) : 0,
    toSeq: bound === 'to' ? Math.min(seq ?? size, size) : size,
  };
}

function limitOf(limit: number): number {
  if (limit > MAX_LIMIT) throw outOfRange('limit', `limit must be 1 to ${MAX_LIMIT}; 0 is ${DEFAULT_LIMIT}`);
  return limit === 0 ? DEFAULT_LIMIT : limit;
}

function token(order: 'newest' | 'oldest', seq: number): string {
  return `${order === 'newest' ? 'to' : 'from'}:${seq}`;
}

function entryOf({ leaf, detailPreimage }: StoredEntry): AuditEntry {
  const { seq, type, producer, gpu, eventUs, receivedUs, injected, eventId } = decodeLeaf(leaf);
  return {
    seq: BigInt(seq),
    leaf: Buffer.from(leaf),
    detailSalt: Buffer.from(detailPreimage?.subarray(1, 1 + SALT_BYTES) ?? []),
    detail: Buffer.from(detailPreimage?.subarray(1 + SALT_BYTES) ?? []),
    type,
    producer,
    gpu,
    eventUs: BigInt(eventUs),
    receivedUs: BigInt(receivedUs),
    injected,
    eventId: Buffer.from(eventId),
    detailPruned: detailPreimage === undefined,
  };
}
