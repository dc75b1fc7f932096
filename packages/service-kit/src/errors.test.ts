import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { ErrorDetail_Reason as Reasons } from '@sentinel/contracts/sentinel/v1/errors.js';
import fc from 'fast-check';
import {
  ERROR_TRAILER,
  type ErrorCode,
  type ErrorReason,
  EXIT,
  exitStatus,
  httpStatus,
  SentinelError,
  type SentinelErrorInit,
} from './errors.js';

const codes = Object.keys(Status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK') as ErrorCode[];
const reasons = Object.keys(Reasons).filter((name) => name !== 'UNRECOGNIZED') as ErrorReason[];

/** As grpc-js hands it to the caller. */
const overTheWire = (error: SentinelError): ServiceError => Object.assign(new Error(), error.toServiceError());

test('every field survives the way through a gRPC trailer', () => {
  const init: fc.Arbitrary<SentinelErrorInit> = fc.record({
    code: fc.constantFrom(...codes),
    message: fc.string({ minLength: 1, unit: 'binary' }),
    reason: fc.constantFrom(...reasons),
    field: fc.string(),
    retryAfterMs: fc.nat(0xffff_ffff),
    hint: fc.string({ unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(init, (fields) => {
      const sent = new SentinelError(fields);
      const { cause, ...received } = SentinelError.from(overTheWire(sent)).toJson().error as Record<string, unknown>;
      assert.deepEqual(received, sent.toJson().error);
    }),
    { numRuns: 200 },
  );
});

test('a failure without or with a damaged trailer keeps its status', () => {
  const bare = Object.assign(new Error('14 UNAVAILABLE: no connection'), {
    code: Status.UNAVAILABLE,
    details: 'no connection',
    metadata: new Metadata(),
  });
  assert.equal(SentinelError.from(bare).message, 'no connection');
  assert.equal(SentinelError.from(bare).reason, 'STORE_UNAVAILABLE');
  bare.metadata.set(ERROR_TRAILER, Buffer.from([0xff, 0xff]));
  assert.equal(SentinelError.from(bare).code, 'UNAVAILABLE');
});

test('a reason that a newer peer knows and we do not is unspecified', () => {
  const error = overTheWire(new SentinelError({ code: 'ABORTED', message: 'x' }));
  error.metadata.set(ERROR_TRAILER, Buffer.from([0x08, 0xc8, 0x01]));
  assert.equal(SentinelError.from(error).reason, 'UNSPECIFIED');
});

test('anything thrown becomes a SentinelError, and one stays itself', () => {
  const own = new SentinelError({ code: 'NOT_FOUND', message: 'no such GPU' });
  assert.equal(SentinelError.from(own), own);
  const foreign = new TypeError('x is undefined');
  assert.equal(SentinelError.from(foreign).code, 'INTERNAL');
  assert.equal(SentinelError.from(foreign).cause, foreign);
  assert.equal(SentinelError.from('text').message, 'text');
  assert.equal(SentinelError.from(undefined).code, 'INTERNAL');
});

test('the sentence says what happened and what to do', () => {
  const error = new SentinelError({ code: 'UNAVAILABLE', message: 'the port is taken.', hint: 'Free it.' });
  assert.equal(error.sentence, 'the port is taken. Free it.');
  assert.equal(new SentinelError({ code: 'ABORTED', message: 'lost' }).sentence, 'lost');
});

test('statuses of HTTP and of commands', () => {
  const expected: [ErrorCode, number, number][] = [
    ['INVALID_ARGUMENT', 400, EXIT.usage],
    ['UNAUTHENTICATED', 401, EXIT.denied],
    ['PERMISSION_DENIED', 403, EXIT.denied],
    ['NOT_FOUND', 404, EXIT.negative],
    ['ALREADY_EXISTS', 409, EXIT.negative],
    ['RESOURCE_EXHAUSTED', 429, EXIT.unavailable],
    ['UNAVAILABLE', 503, EXIT.unavailable],
    ['DEADLINE_EXCEEDED', 504, EXIT.unavailable],
    ['INTERNAL', 500, EXIT.unavailable],
  ];
  for (const [code, http, exit] of expected) {
    const error = new SentinelError({ code, message: code });
    assert.deepEqual([httpStatus(code), exitStatus(error)], [http, exit], code);
  }
});
