import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranOnSm } from './ran.js';
import { columns, type RunSpec, SMS } from './testing/batches.js';

const ran = (spec: RunSpec, sms: readonly number[] = SMS) =>
  sms.filter((sm) => ranOnSm(columns(0, 'd', [spec]), 0, sms, sm));

test('a full run covers every SM, one of a single SM that one', () => {
  assert.deepEqual(ran({}), SMS);
  assert.deepEqual(ran({ single: 2 }), [2]);
});

test('a partial run covers the SMs of its bitmap', () => {
  assert.deepEqual(ran({ ran: [0, 3] }), [0, 3]);
  const sms = Array.from({ length: 11 }, (_, i) => i * 10);
  const batch = { ...columns(0, 'd', [{}]), smsRun: [2], partial: [{ run: 0, ran: Uint8Array.of(0b10, 0b100) }] };
  assert.deepEqual(
    sms.filter((sm) => ranOnSm(batch, 0, sms, sm)),
    [10, 100],
    'bits go by place, not by number',
  );
});

test('what did not run did not run', () => {
  assert.deepEqual(ran({ ran: [] }), []);
  assert.deepEqual(ran({ single: 2, ran: [] }), []);
});

test('a count that does not fit the device as it is known now says nothing about any SM', () => {
  assert.deepEqual(ran({}, [0, 1, 2, 3, 4]), []);
  assert.equal(ranOnSm(columns(0, 'd', [{}]), 0, SMS, 17), false);
});
