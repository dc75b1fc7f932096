import type { IngestEventsResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { checkEvents } from '../ingest/check-events.js';
import type { EventRequest } from '../ingest/deduplicate.js';
import type { WriterContext } from './context.js';
import { publicLedgerError } from './errors.js';
import { assertOwn } from './own-events.js';

/** Resolves once every event is durable and covered by the checkpoint in the answer. */
export async function ingestEvents(
  context: WriterContext,
  request: Buffer,
  caller: Identity,
): Promise<IngestEventsResponse> {
  return await takeEvents(context, admit(context, request, caller));
}

/** @throws SentinelError where the request is refused as it comes, before anything of it waits */
export function admit({ ledger }: WriterContext, request: Buffer, caller: Identity): EventRequest {
  const checked = checkEvents(request);
  assertOwn(caller, checked);
  try {
    ledger.assertRoom(checked);
  } catch (error) {
    throw publicLedgerError(error);
  }
  return checked;
}

export async function takeEvents({ ledger }: WriterContext, admitted: EventRequest): Promise<IngestEventsResponse> {
  try {
    const { seqs, checkpoint } = await ledger.ingest(admitted);
    return { seqs: seqs.map(BigInt), checkpoint: checkpoint.note };
  } catch (error) {
    throw publicLedgerError(error);
  }
}
