/** Clients and events on the wire. */
import { createHash } from 'node:crypto';
import {
  type AuditEntry,
  type AuditEvent,
  AuditServiceClient,
  AuditType,
  IngestEventsRequest,
  type IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { canonicalJson } from '../detail/canonical.js';
import { SERVICE_TOKEN } from './writer-process.js';

const MAX_MESSAGE_BYTES = 20 * 2 ** 20;
/** A commit waits for the disk, which on a busy machine may stand still. */
const COMMIT_DEADLINE_MS = 60_000;

export function clientOf(address: string, token = SERVICE_TOKEN): AuditServiceClient {
  return createClient(AuditServiceClient, { address, tls: null, token, maxMessageBytes: MAX_MESSAGE_BYTES });
}

export async function commitEvents(
  client: AuditServiceClient,
  request: IngestEventsRequest,
): Promise<IngestEventsResponse> {
  return await callUnary(client, client.ingestEvents, request, COMMIT_DEADLINE_MS);
}

/** Event number n: always the same. `padding`: bytes that its detail is made longer by. */
export function eventOf(n: number, padding = 0): AuditEvent {
  return {
    eventId: createHash('sha256').update(`event ${n}`).digest().subarray(0, 16),
    type: AuditType.DECISION,
    gpu: `GPU-${n % 16}`,
    eventUs: 1_700_000_000_000_000n + BigInt(n),
    detail: Buffer.from(canonicalJson({ event: 'test', n, padding: 'x'.repeat(padding) })),
    injected: false,
  };
}

/** Every entry of a log, oldest first. */
export async function wholeTrail(client: AuditServiceClient, gpu = ''): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let pageToken = '';
  do {
    const request = {
      gpu,
      type: AuditType.UNSPECIFIED,
      startUs: 0n,
      endUs: 0n,
      limit: 1000,
      pageToken,
      oldestFirst: true,
    };
    const page = await callUnary(client, client.queryAuditTrail, request);
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return entries;
}

/** A request as it comes over the wire. */
export function bytesOf(request: IngestEventsRequest): Buffer {
  return Buffer.from(IngestEventsRequest.encode(request).finish());
}
