/** From the wire to what may be logged: every field checked where it lies, and left there until it is written. */
import { isUtf8 } from 'node:buffer';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Draft } from '../commit/build.js';
import { MAX_GROUP_ENTRIES } from '../commit/ledger.js';
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { LEDGER_EVENTS } from '../commit/system-entries.js';
import { DetailError, MAX_DETAIL_BYTES, parseDetail } from '../detail/canonical.js';
import { scanEvent } from '../detail/canonical-scan.js';
import { EVENT_ID_BYTES, isLeafType, MAX_LP8_BYTES } from '../leaf/leaf.js';
import type { EventRequest } from './deduplicate.js';
import { MalformedMessageError, tagOf, WireReader } from './wire-reader.js';

/** Fields of IngestEventsRequest and of AuditEvent (audit.proto). */
const REQUEST = {
  producer: tagOf(1, 'bytes'),
  producerEpoch: tagOf(2, 'varint'),
  firstSequence: tagOf(3, 'varint'),
  events: tagOf(4, 'bytes'),
} as const;
const EVENT = {
  eventId: tagOf(1, 'bytes'),
  type: tagOf(2, 'varint'),
  gpu: tagOf(3, 'bytes'),
  eventUs: tagOf(4, 'varint'),
  detail: tagOf(5, 'bytes'),
  injected: tagOf(6, 'varint'),
} as const;
const BATCH = tagOf(1, 'bytes');

const NOTHING = Buffer.alloc(0);

/** The batch of an IngestStreamRequest. @throws SentinelError INVALID_ARGUMENT */
export function batchOf(streamRequest: Buffer): Buffer {
  return orInvalid(() => {
    const wire = new WireReader(streamRequest);
    let batch: Buffer | undefined;
    while (wire.more) {
      const tag = wire.tag();
      if (tag === BATCH) batch = streamRequest.subarray(wire.span(), wire.at);
      else wire.skip(tag);
    }
    if (batch === undefined)
      throw new SentinelError({ code: 'INVALID_ARGUMENT', field: 'batch', message: 'batch is missing' });
    return batch;
  });
}

/**
 * An IngestEventsRequest. What it gives refers to `bytes`, which must not change any more.
 * @throws SentinelError INVALID_ARGUMENT naming the field
 */
export function checkEvents(bytes: Buffer): EventRequest {
  return orInvalid(() => {
    const { producer, epoch, firstSequence, events } = fieldsOf(bytes);
    if (producer === '' || Buffer.byteLength(producer) > MAX_LP8_BYTES)
      throw invalid('producer', `must have 1 to ${MAX_LP8_BYTES} bytes`);
    if (producer === LEDGER_PRODUCER) throw invalid('producer', `"${LEDGER_PRODUCER}" is the ledger itself`);
    if (events.length === 0) throw eventCount();
    safe(epoch, 'producer_epoch');
    safe(safe(firstSequence, 'first_sequence') + (events.length / 2 - 1), 'first_sequence');
    const drafts: Draft[] = [];
    for (let i = 0; i < events.length; i += 2)
      drafts.push(checkEvent(new WireReader(bytes, events[i], events[i + 1]), producer, i / 2));
    return { producer, numbering: epoch === 0 ? undefined : { epoch, firstSequence }, drafts };
  });
}

/** `events`: where each begins and ends. */
function fieldsOf(bytes: Buffer): { producer: string; epoch: number; firstSequence: number; events: number[] } {
  const wire = new WireReader(bytes);
  const fields = { producer: '', epoch: 0, firstSequence: 0, events: [] as number[] };
  while (wire.more) {
    const tag = wire.tag();
    if (tag === REQUEST.events && fields.events.length === 2 * MAX_GROUP_ENTRIES) throw eventCount();
    if (tag === REQUEST.events) fields.events.push(wire.span(), wire.at);
    else if (tag === REQUEST.producer) fields.producer = textOf(bytes, wire.span(), wire.at, 'producer');
    else if (tag === REQUEST.producerEpoch) fields.epoch = wire.varint();
    else if (tag === REQUEST.firstSequence) fields.firstSequence = wire.varint();
    else wire.skip(tag);
  }
  return fields;
}

function checkEvent(wire: WireReader, producer: string, index: number): Draft {
  const { bytes } = wire;
  let [type, eventUs, injected] = [0, 0, false];
  let [idAt, idEnd, gpuAt, gpuEnd, detailAt, detailEnd] = [0, 0, 0, 0, 0, 0];
  while (wire.more) {
    const tag = wire.tag();
    if (tag === EVENT.eventId) [idAt, idEnd] = [wire.span(), wire.at];
    else if (tag === EVENT.type) type = wire.varint();
    else if (tag === EVENT.gpu) [gpuAt, gpuEnd] = [wire.span(), wire.at];
    else if (tag === EVENT.eventUs) eventUs = wire.varint();
    else if (tag === EVENT.detail) [detailAt, detailEnd] = [wire.span(), wire.at];
    else if (tag === EVENT.injected) injected = wire.varint() !== 0;
    else wire.skip(tag);
  }
  if (idEnd - idAt !== EVENT_ID_BYTES)
    throw invalid(`events[${index}].event_id`, `must have ${EVENT_ID_BYTES} bytes, not ${idEnd - idAt}`);
  if (!isLeafType(type)) throw invalid(`events[${index}].type`, 'must be one of the known types');
  if (gpuEnd - gpuAt > MAX_LP8_BYTES) throw invalid(`events[${index}].gpu`, `is longer than ${MAX_LP8_BYTES} bytes`);
  if (!Number.isSafeInteger(eventUs)) throw invalid(`events[${index}].event_us`, 'is beyond 2^53');
  const gpu = gpuEnd === gpuAt ? '' : textOf(bytes, gpuAt, gpuEnd, `events[${index}].gpu`);
  const eventId = bytes.subarray(idAt, idEnd);
  const detail = detailEnd === detailAt ? NOTHING : bytes.subarray(detailAt, detailEnd);
  checkDetail(detail, index);
  return { type, injected, eventUs, eventId, producer, gpu, detail };
}

function checkDetail(detail: Buffer, index: number): void {
  try {
    const known = detail.length <= MAX_DETAIL_BYTES ? scanEvent(detail) : undefined;
    const event = known ?? parseDetail(detail).event;
    if (LEDGER_EVENTS.has(event)) throw new DetailError(`has an event that only the ledger itself logs: ${event}`);
  } catch (error) {
    if (error instanceof DetailError) throw invalid(`events[${index}].detail`, error.message);
    throw error;
  }
}

function textOf(bytes: Buffer, start: number, end: number, field: string): string {
  if (!isUtf8(bytes.subarray(start, end))) throw invalid(field, 'is not UTF-8');
  return bytes.toString('utf8', start, end);
}

/** Times and numbers beyond 2^53 are refused: they could not be held exactly. */
function safe(value: number, field: string): number {
  if (!Number.isSafeInteger(value)) throw invalid(field, 'is beyond 2^53');
  return value;
}

function eventCount(): SentinelError {
  return invalid('events', `must be 1 to ${MAX_GROUP_ENTRIES} events`);
}

function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedMessageError)
      throw new SentinelError({ code: 'INVALID_ARGUMENT', message: error.message });
    throw error;
  }
}

function invalid(field: string, why: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${why}`, field });
}
