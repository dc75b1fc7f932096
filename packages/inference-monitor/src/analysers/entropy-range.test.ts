import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntropyRange } from './entropy-range.js';
import type { BlockVerdict } from './statistic-watch.js';
import { shortLimits } from './testing/limits.js';

const LIMITS = { ...shortLimits().entropy, window_size: 400 };

function verdict(mean: number, level = 1.5, cohort = false): BlockVerdict {
  const reference = { level, scale: 0.05 };
  const advisory = { mean: cohort, distribution: false };
  return { mean, requests: 200, reference, drift: null, moved: null, advisory };
}

const blocks = (means: readonly number[], level?: number, cohort?: boolean) => {
  const range = new EntropyRange(LIMITS);
  return means.flatMap((mean) => range.take(verdict(mean, level, cohort), 1));
};

test('a collapse, an explosion and a large deviation are found, once as long as they last', () => {
  const [collapse, ...more] = blocks([0.2, 0.2, 0.1, 0.1]);
  assert.deepEqual([collapse?.severity, collapse?.type, more.length], ['CRITICAL', 'ENTROPY_ANOMALY', 0]);
  assert.match(collapse?.detail ?? '', /a collapse below 0\.5/);
  assert.match(blocks([13, 13], 11)[0]?.detail ?? '', /an explosion above 12/);
  assert.match(blocks([4, 4])[0]?.detail ?? '', /a deviation of more than 2/);
});

test('blocks are put together until there are enough requests, so that one is not enough', () => {
  assert.deepEqual(blocks([0.2]), []);
  assert.deepEqual(blocks([0.2, 1.5]), []);
});

test('a model that is always so sure has no collapse, small distances are none, replicas at once accuse none', () => {
  assert.deepEqual(blocks([0.2, 0.2], 0.21), []);
  assert.deepEqual(blocks([1.3, 1.3]), []);
  assert.equal(blocks([0.2, 0.2], 1.5, true)[0]?.severity, 'INFO');
});
