/** From the wire to what may be logged: every field checked, bytes copied out of the receive buffer. */
import type { AuditEvent, IngestEventsRequest } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Draft } from '../commit/build.js';
import { MAX_GROUP_ENTRIES } from '../commit/ledger.js';
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { LEDGER_EVENTS } from '../commit/system-entries.js';
import { DetailError, MAX_DETAIL_BYTES, parseDetail } from '../detail/canonical.js';
import { scanEvent } from '../detail/canonical-scan.js';
import { EVENT_ID_BYTES, isLeafType, MAX_LP8_BYTES } from '../leaf/leaf.js';
import type { EventRequest } from './deduplicate.js';

/** @throws SentinelError INVALID_ARGUMENT naming the field */
export function checkEvents(request: IngestEventsRequest): EventRequest {
  const { producer, producerEpoch, firstSequence, events } = request;
  if (producer === '' || Buffer.byteLength(producer) > MAX_LP8_BYTES)
    throw invalid('producer', `must have 1 to ${MAX_LP8_BYTES} bytes`);
  if (producer === LEDGER_PRODUCER) throw invalid('producer', `"${LEDGER_PRODUCER}" is the ledger itself`);
  if (events.length === 0 || events.length > MAX_GROUP_ENTRIES)
    throw invalid('events', `must be 1 to ${MAX_GROUP_ENTRIES} events`);
  const numbering = {
    epoch: safe(producerEpoch, 'producer_epoch'),
    firstSequence: safe(firstSequence, 'first_sequence'),
  };
  safe(firstSequence + BigInt(events.length - 1), 'first_sequence');
  const drafts = events.map((event, i) => checkEvent(event, producer, `events[${i}]`));
  return { producer, numbering: numbering.epoch === 0 ? undefined : numbering, drafts };
}

function checkEvent(event: AuditEvent, producer: string, at: string): Draft {
  const { eventId, type, gpu, eventUs, detail, injected } = event;
  if (eventId.length !== EVENT_ID_BYTES)
    throw invalid(`${at}.event_id`, `must have ${EVENT_ID_BYTES} bytes, not ${eventId.length}`);
  if (!isLeafType(type)) throw invalid(`${at}.type`, 'must be one of the known types');
  if (gpu.length > MAX_LP8_BYTES || Buffer.byteLength(gpu) > MAX_LP8_BYTES)
    throw invalid(`${at}.gpu`, `is longer than ${MAX_LP8_BYTES} bytes`);
  checkDetailBytes(detail, at);
  return {
    type,
    injected,
    eventUs: safe(eventUs, `${at}.event_us`),
    eventId: Buffer.from(eventId),
    producer,
    gpu,
    detail: Buffer.from(detail),
  };
}

function checkDetailBytes(detail: Uint8Array, at: string): void {
  try {
    const known = detail.length <= MAX_DETAIL_BYTES ? scanEvent(detail) : undefined;
    const event = known ?? parseDetail(detail).event;
    if (LEDGER_EVENTS.has(event)) throw new DetailError(`has an event that only the ledger itself logs: ${event}`);
  } catch (error) {
    if (error instanceof DetailError) throw invalid(`${at}.detail`, error.message);
    throw error;
  }
}

/** Times and numbers beyond 2^53 are refused: they could not be held exactly. */
function safe(value: bigint, field: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(field, 'is beyond 2^53');
  return Number(value);
}

function invalid(field: string, why: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${why}`, field });
}
