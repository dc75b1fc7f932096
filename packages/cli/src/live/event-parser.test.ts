import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from './event-parser.js';

const STREAM = `retry: 2000

: still here

event: state
data: {"gpu":"GPU-1","reason":"é: x"}

id: f-7
event: directive
data: {"action":
data: "QUARANTINE"}

id: f-9

event: later
data: no JSON

`;

const EXPECTED = [
  { id: '', event: 'state', data: { gpu: 'GPU-1', reason: 'é: x' } },
  { id: 'f-7', event: 'directive', data: { action: 'QUARANTINE' } },
  { id: 'f-9', event: 'message', data: {} },
  { id: '', event: 'later', data: {} },
];

for (const size of [1, 2, 7, 1000]) {
  test(`events are the same whatever parts of ${size} characters they come in`, () => {
    const parser = new EventParser();
    const parts = STREAM.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    assert.deepEqual(
      parts.flatMap((part) => parser.push(part)),
      EXPECTED,
    );
  });
}

test('lines may end as on other systems, and what is not complete waits', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('event: state\r\ndata: {"a":1}\r\n'), []);
  assert.deepEqual(parser.push('\r\n'), [{ id: '', event: 'state', data: { a: 1 } }]);
});

test('an event that never ends is given up', () => {
  const parser = new EventParser();
  assert.throws(() => parser.push('x'.repeat(1024 * 1024 + 1)), /never ends/);
});
