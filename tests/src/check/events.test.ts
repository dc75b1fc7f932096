import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from './decisions.js';
import { compareEvents, type SentEvent } from './events.js';

const event = (number: number, eventId: string, content = `says ${eventId}`): SentEvent => ({
  number,
  eventId,
  content,
});
const DECISION: Decision = { device: 'a', from: 'HEALTHY', to: 'SUSPECT', actor: 'engine', eventId: 'e2' };
const SENT = [event(1, 'e1'), event(2, 'e2'), event(3, 'e3')];
const counts = (sent: readonly SentEvent[], decisions = [DECISION]): number[] => {
  const { lost, doubled } = compareEvents(decisions, sent);
  return [lost.length, doubled.length];
};

test('each event once, also where a request was repeated', () => {
  assert.deepEqual(counts(SENT), [0, 0]);
  assert.deepEqual(counts([...SENT.slice(0, 2), ...SENT]), [0, 0]);
});

test('what was never sent', () => {
  assert.deepEqual(counts([event(1, 'e1'), event(3, 'e3'), event(4, 'e2')]), [1, 0], 'a gap');
  assert.deepEqual(counts(SENT, [DECISION, { ...DECISION, eventId: 'e9' }]), [1, 0], 'a decision');
});

test('what was sent twice', () => {
  assert.deepEqual(counts([...SENT, event(4, 'e3')]), [0, 1], 'an event under two numbers');
  assert.deepEqual(counts([...SENT, event(3, 'e4')]), [0, 1], 'a number for two events');
  assert.deepEqual(counts([...SENT, event(3, 'e3', 'says more')]), [0, 1], 'an event that changed');
  assert.deepEqual(counts([...SENT, event(4, 'e4', 'says e3')]), [0, 1], 'two events that say the same');
});
