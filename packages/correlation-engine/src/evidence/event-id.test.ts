import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventId } from './event-id.js';

const spool = {
  kind: 'uplink' as const,
  node: 'näme',
  spoolId: '0190a1b2c3d4e5f60718293a4b5c6d7e',
  sequence: 2 ** 40 + 7,
};

test('ids are those that an independent computation of the formula gives', () => {
  assert.equal(eventId(spool, 3), '8426c0a34dac85e99dba565f69522618');
  assert.equal(eventId({ kind: 'record', commitSeq: 42 }, 0), '6fd8e793bf418082bcd57a853ace7711');
});

test('ids are UUIDs of version 8', () => {
  for (let ordinal = 0; ordinal < 50; ordinal += 1)
    assert.match(eventId(spool, ordinal), /^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
});

test('each part of the source makes another id', () => {
  const ids = [
    eventId(spool, 0),
    eventId(spool, 1),
    eventId({ ...spool, sequence: 1 }, 0),
    eventId({ ...spool, node: 'other' }, 0),
    eventId({ ...spool, spoolId: 'f'.repeat(32) }, 0),
    eventId({ kind: 'record', commitSeq: 1 }, 0),
  ];
  assert.equal(new Set(ids).size, ids.length);
});
