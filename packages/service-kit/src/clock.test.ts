import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, systemClock } from './clock.js';

test('the system clock counts microseconds since 1970 and never goes back', () => {
  assert.ok(Math.abs(Number(systemClock.nowUs() / 1000n) - Date.now()) < 1_000);
  const first = systemClock.monotonicMs();
  assert.ok(systemClock.monotonicMs() >= first);
});

test('a manual clock moves only when told, both of its faces together', () => {
  const clock = new ManualClock(5_000_000n);
  assert.deepEqual([clock.nowUs(), clock.monotonicMs()], [5_000_000n, 5_000]);
  clock.advanceMs(1.5);
  assert.deepEqual([clock.nowUs(), clock.monotonicMs()], [5_001_500n, 5_001]);
});
