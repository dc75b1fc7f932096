import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../core.js';
import { LatestTelemetry } from './latest.js';

function sample(values: Record<string, number>, texts: Record<string, string> = {}, partial = false): Sample {
  return { deviceId: 'GPU-1', timeUs: 1n, values, texts, partial };
}

test('a whole sample replaces, a partial one adds to what is known', () => {
  const latest = new LatestTelemetry();
  assert.equal(latest.of('GPU-1'), undefined);
  latest.put(sample({ a: 1, b: 2 }, { x: 'y' }), 10);
  latest.put(sample({ b: 3 }, {}, true), 20);
  assert.deepEqual(latest.of('GPU-1'), { timeUs: 20, values: { a: 1, b: 3 }, texts: { x: 'y' } });
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => latest.value('GPU-1', name)),
    [1, 3, undefined],
  );
  assert.equal(latest.value('GPU-2', 'a'), undefined);
  latest.put(sample({ b: 4 }), 30);
  assert.deepEqual(latest.of('GPU-1'), { timeUs: 30, values: { b: 4 }, texts: {} });
});

test('after a start of the engine a partial sample is what is known', () => {
  const latest = new LatestTelemetry();
  latest.put(sample({ b: 3 }, {}, true), 20);
  assert.deepEqual(latest.of('GPU-1')?.values, { b: 3 });
});

test('partial samples of ever new names do not grow a device without end', () => {
  const latest = new LatestTelemetry();
  const names = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, k) => [`field_${from + k}`, k]));
  for (const [from, to] of [
    [0, 512],
    [512, 513],
    [600, 1_000],
  ] as const)
    latest.put(sample(names(from, to), {}, true), 1);
  assert.equal(Object.keys(latest.of('GPU-1')?.values ?? {}).length, 512);
});
