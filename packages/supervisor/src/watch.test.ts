import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from './watch.js';

const LONG_MS = 60_000;
const never = new AbortController().signal;

test('a wait ends with its time, with the alarm and with the stop', async () => {
  const alarm = new Alarm();
  await alarm.wait(1, never);
  const rung = alarm.wait(LONG_MS, never);
  alarm.ring();
  await rung;
  const stop = new AbortController();
  const stopped = alarm.wait(LONG_MS, stop.signal);
  stop.abort();
  await stopped;
});

test('what rang while nobody waited ends the next wait at once, and only that', async () => {
  const alarm = new Alarm();
  alarm.ring();
  alarm.ring();
  await alarm.wait(LONG_MS, never);
  const startedAt = performance.now();
  await alarm.wait(20, never);
  assert.ok(performance.now() - startedAt >= 15);
});

test('a stop that came before ends every wait', async () => {
  await new Alarm().wait(LONG_MS, AbortSignal.abort());
});
