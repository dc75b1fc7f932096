import { type AuditEntry, AuditServiceClient, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import type { Reachable } from './stack.js';

const PAGE = 1000;

/** Every entry of a stack's ledger about one device ('' = all), oldest first. @param startUs of the event; 0 = all times */
export async function auditTrail(stack: Reachable, gpu = '', startUs = 0n): Promise<AuditEntry[]> {
  const client = createClient(AuditServiceClient, {
    ...stack.connection('ledger'),
    token: stack.secrets.operatorToken,
  });
  try {
    const entries: AuditEntry[] = [];
    let pageToken = '';
    do {
      const request = {
        gpu,
        type: AuditType.UNSPECIFIED,
        startUs,
        endUs: 0n,
        limit: PAGE,
        pageToken,
        oldestFirst: true,
      };
      const page = await callUnary(client, client.queryAuditTrail, request);
      entries.push(...page.entries);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return entries;
  } finally {
    client.close();
  }
}

/** The JSON of an entry. */
export function detailOf(entry: AuditEntry): Record<string, unknown> {
  return JSON.parse(Buffer.from(entry.detail).toString('utf8')) as Record<string, unknown>;
}
