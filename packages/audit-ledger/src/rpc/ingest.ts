import type { IngestEventsRequest, IngestEventsResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { checkEvents } from '../ingest/check-events.js';
import type { WriterContext } from './context.js';
import { publicLedgerError } from './errors.js';

/** Resolves once every event is durable and covered by the checkpoint in the answer. */
export async function ingestEvents(
  { ledger }: WriterContext,
  request: IngestEventsRequest,
): Promise<IngestEventsResponse> {
  const checked = checkEvents(request);
  try {
    const { seqs, checkpoint } = await ledger.ingest(checked);
    return { seqs: seqs.map(BigInt), checkpoint: checkpoint.note };
  } catch (error) {
    throw publicLedgerError(error);
  }
}
