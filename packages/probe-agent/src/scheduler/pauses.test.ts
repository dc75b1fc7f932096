import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pauses } from './pauses.js';

const DEVICES = ['GPU-a', 'GPU-b'];
const FOR_GOOD = Number.POSITIVE_INFINITY;

test('a device runs when neither the configuration nor the engine pauses it', () => {
  const pauses = new Pauses(['GPU-a']);
  assert.deepEqual(pauses.order([{ deviceId: 'GPU-a', untilMs: FOR_GOOD, reason: 'swap' }], DEVICES, 0), []);
  assert.deepEqual(pauses.configure([], DEVICES, 0), [], 'the engine still pauses it');
  assert.equal(pauses.isPaused('GPU-a', 0), true);
  assert.deepEqual(pauses.order([], DEVICES, 0), [{ deviceId: 'GPU-a', paused: null }]);
  assert.equal(pauses.isPaused('GPU-a', 0), false);
});

test('the set of the engine replaces the one before, and each change is told with its reason', () => {
  const pauses = new Pauses([]);
  const a = { deviceId: 'GPU-a', untilMs: FOR_GOOD, reason: 'training' };
  const b = { deviceId: 'GPU-b', untilMs: 5_000, reason: 'swap' };
  assert.deepEqual(pauses.order([a], DEVICES, 0), [{ deviceId: 'GPU-a', paused: a }]);
  assert.deepEqual(pauses.order([b], DEVICES, 0), [
    { deviceId: 'GPU-a', paused: null },
    { deviceId: 'GPU-b', paused: b },
  ]);
});

test('a pause ends by itself, and that is told once', () => {
  const pauses = new Pauses([]);
  pauses.order([{ deviceId: 'GPU-a', untilMs: 5_000, reason: 'swap' }], DEVICES, 0);
  assert.deepEqual([pauses.isPaused('GPU-a', 4_999), pauses.isPaused('GPU-a', 5_000)], [true, false]);
  assert.deepEqual(pauses.expire(4_999), []);
  assert.deepEqual(pauses.expire(5_000), [{ deviceId: 'GPU-a', paused: null }]);
  assert.deepEqual(pauses.expire(5_000), []);
});
