import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AuditEvent,
  type AuditType,
  IngestEventsRequest,
  IngestStreamRequest,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import fc from 'fast-check';
import { MAX_GROUP_ENTRIES } from '../commit/ledger.js';
import { bytesOf, eventOf } from '../testing/wire.js';
import { batchOf, checkEvents } from './check-events.js';
import type { EventRequest } from './deduplicate.js';

const event: fc.Arbitrary<AuditEvent> = fc
  .record({
    n: fc.nat(1000),
    type: fc.integer({ min: 1, max: 7 }) as fc.Arbitrary<AuditType>,
    gpu: fc.string({ unit: 'grapheme', maxLength: 20 }),
  })
  .map(({ n, ...rest }) => ({ ...eventOf(n), ...rest, injected: n % 2 === 1 }))
  .filter(({ gpu }) => gpu.isWellFormed());
const request: fc.Arbitrary<IngestEventsRequest> = fc.record({
  producer: fc.constantFrom('engine/1', 'é'),
  producerEpoch: fc.bigInt(0n, 2n ** 53n - 1n),
  firstSequence: fc.bigInt(0n, 2n ** 52n),
  events: fc.array(event, { minLength: 1, maxLength: 5 }),
});
/** Fields of every wire type that nobody knows, one of them a group. */
const unknown = fc.constantFrom(
  Buffer.from([0xf8, 0x01, 0x96, 0x01]),
  Buffer.from([0xfa, 0x01, 2, 1, 2]),
  Buffer.from([0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]),
  Buffer.from([0xfd, 0x01, 1, 2, 3, 4]),
  Buffer.from([0xfb, 0x01, 0x08, 0x05, 0xfc, 0x01]),
);

function refusal(bytes: Buffer): SentinelError | undefined {
  try {
    checkEvents(bytes);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof SentinelError, String(error));
    assert.equal(error.code, 'INVALID_ARGUMENT');
    return error;
  }
}

/** What the generated code reads in the same bytes. */
function assertSame({ producer, numbering, drafts }: EventRequest, bytes: Buffer): void {
  const read = IngestEventsRequest.decode(bytes);
  assert.equal(producer, read.producer);
  assert.deepEqual(
    numbering,
    read.producerEpoch === 0n
      ? undefined
      : { epoch: Number(read.producerEpoch), firstSequence: Number(read.firstSequence) },
  );
  assert.equal(drafts.length, read.events.length);
  for (const [i, each] of read.events.entries()) {
    const draft = drafts[i];
    assert.ok(draft);
    assert.deepEqual(Buffer.from(draft.eventId), Buffer.from(each.eventId));
    assert.deepEqual(Buffer.from(draft.detail), Buffer.from(each.detail));
    assert.deepEqual(
      [draft.type, draft.gpu, draft.eventUs, draft.injected, draft.producer],
      [each.type, each.gpu, Number(each.eventUs), each.injected, read.producer],
    );
  }
}

describe('events from the wire', () => {
  it('are what generated code reads, with fields among them that nobody knows', () => {
    fc.assert(
      fc.property(request, unknown, unknown, (each, before, after) => {
        const bytes = Buffer.concat([before, bytesOf(each), after]);
        assertSame(checkEvents(bytes), bytes);
        assert.deepEqual(batchOf(Buffer.from(IngestStreamRequest.encode({ batch: each }).finish())), bytesOf(each));
      }),
    );
  });

  it('are refused, or the same, when a byte of them is another', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(255), (each, at, byte) => {
        const bytes = bytesOf(each);
        bytes[at % bytes.length] = byte;
        if (refusal(bytes) === undefined) assertSame(checkEvents(bytes), bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  it('are refused when they are cut', () => {
    fc.assert(
      fc.property(request, fc.nat(), (each, at) => {
        const bytes = bytesOf({ ...each, events: each.events.slice(0, 1) });
        refusal(bytes.subarray(0, at % bytes.length));
        assert.ok(refusal(bytes.subarray(0, bytes.length - 1)));
      }),
    );
  });

  it('are refused with the field that is wrong', () => {
    const fieldOf = (over: Partial<IngestEventsRequest>): string | undefined =>
      refusal(bytesOf({ producer: 'p', producerEpoch: 1n, firstSequence: 1n, events: [eventOf(1)], ...over }))?.field;
    const fieldOfEvent = (over: Partial<AuditEvent>): string | undefined =>
      fieldOf({ events: [eventOf(1), { ...eventOf(2), ...over }] });
    assert.equal(fieldOf({}), undefined);
    assert.equal(fieldOf({ producer: '' }), 'producer');
    assert.equal(fieldOf({ producer: 'ledger' }), 'producer');
    assert.equal(fieldOf({ producer: 'é'.repeat(128) }), 'producer');
    assert.equal(fieldOf({ producerEpoch: 2n ** 53n }), 'producer_epoch');
    assert.equal(fieldOf({ firstSequence: 2n ** 63n }), 'first_sequence');
    assert.equal(fieldOf({ firstSequence: 2n ** 53n - 1n, events: [eventOf(1), eventOf(2)] }), 'first_sequence');
    assert.equal(fieldOf({ events: [] }), 'events');
    assert.equal(fieldOf({ events: new Array(MAX_GROUP_ENTRIES + 1).fill(eventOf(1)) }), 'events');
    assert.equal(fieldOfEvent({ eventId: Buffer.alloc(15) }), 'events[1].event_id');
    assert.equal(fieldOfEvent({ type: 0 }), 'events[1].type');
    assert.equal(fieldOfEvent({ gpu: 'x'.repeat(256) }), 'events[1].gpu');
    assert.equal(fieldOfEvent({ eventUs: 2n ** 53n }), 'events[1].event_us');
    assert.equal(fieldOfEvent({ detail: Buffer.from('{"n":1}') }), 'events[1].detail');
    assert.equal(fieldOfEvent({ detail: Buffer.from('{"event":"seal"}') }), 'events[1].detail');
    assert.equal(
      refusal(
        Buffer.concat([
          Buffer.from([0x0a, 2, 0xc3, 0x28]),
          bytesOf({ producer: '', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(1)] }),
        ]),
      )?.field,
      'producer',
    );
  });
});
