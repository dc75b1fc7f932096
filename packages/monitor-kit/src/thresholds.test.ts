import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettableThresholds } from './thresholds.js';

test('listeners hear of a change, and of nothing else', () => {
  const first = { loss: { window_size: 50, severity: { warning: 1 } } };
  const source = new SettableThresholds(first);
  const heard: number[] = [];
  source.onChange(({ loss }) => heard.push(loss.window_size));
  assert.equal(source.set(structuredClone(first)), false);
  const other = { loss: { ...first.loss, window_size: 99 } };
  assert.equal(source.set(other), true);
  assert.deepEqual([heard, source.current], [[99], other]);
});
