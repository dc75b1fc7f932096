import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { Spectral } from './spectral.js';
import { shortLimits } from './testing/limits.js';

function run(enabled: boolean, amplitude: number) {
  const limits = shortLimits();
  const spectral = new Spectral({ ...limits, spectral: { ...limits.spectral, enabled } });
  const random = new Random(1);
  return Array.from({ length: 5_000 }, (_, k) =>
    spectral.take(1.5 + random.normal() + amplitude * Math.sin((2 * Math.PI * k) / 32), k),
  ).flat();
}

test('a period is found in each window, and nothing where there is none or nobody asked', () => {
  const found = run(true, 2);
  assert.equal(found.length, 4);
  assert.match(found[0]?.detail ?? '', /repeats every 32 of them/);
  assert.deepEqual([run(true, 0), run(false, 2)], [[], []]);
});
