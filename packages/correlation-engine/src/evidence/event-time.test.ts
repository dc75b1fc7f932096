import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clockOffsetUs, eventTimeUs } from './event-time.js';

const NOW = 1_800_000_000_000_000;

test('an agent time is corrected by the offset of its hello', () => {
  const node = { lastEventUs: 0, offsetUs: clockOffsetUs(NOW, NOW - 3_000_000) };
  assert.equal(eventTimeUs(node, NOW - 10_000_000, NOW), NOW - 7_000_000);
});

test('a machine that starts in 1970 reports in the present', () => {
  const node = { lastEventUs: 0, offsetUs: clockOffsetUs(NOW, 60_000_000) };
  assert.equal(eventTimeUs(node, 55_000_000, NOW), NOW - 5_000_000);
});

test('event times lie between the last event of the node and the commit, whatever an agent says', () => {
  const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(time, time, fc.integer({ min: 0, max: NOW }), (atHello, agentUs, lastEventUs) => {
      const us = eventTimeUs({ lastEventUs, offsetUs: clockOffsetUs(NOW, atHello) }, agentUs, NOW);
      assert.ok(Number.isSafeInteger(us));
      assert.ok(us >= lastEventUs && us <= NOW);
    }),
  );
});
