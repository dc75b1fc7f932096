import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoverageMap, type CoverageTarget } from './coverage-map.js';

const TARGET: CoverageTarget = { deviceId: 'GPU-a', family: 'fma32', sms: [0, 2], dueMs: 10_000 };

function map(targets: readonly CoverageTarget[] = [TARGET]): CoverageMap {
  const made = new CoverageMap();
  made.expect(targets, 0);
  return made;
}

test('an SM that does not run ages, and so does the family', () => {
  const coverage = map();
  coverage.ran('GPU-a', 'fma32', [0, 2], 1_000);
  coverage.ran('GPU-a', 'fma32', [0], 20_000);
  assert.deepEqual(coverage.families(20_000), [{ family: 'fma32', maxAgeSeconds: 19, dueRatio: 0.5 }]);
  assert.deepEqual(coverage.devices(21_500), [
    {
      device: 'GPU-a',
      families: [
        {
          family: 'fma32',
          dueSeconds: 10,
          ages: [
            { sm: 0, seconds: 1.5 },
            { sm: 2, seconds: 20.5 },
          ],
        },
      ],
    },
  ]);
});

test('one that never ran is as old as the plan, and its age is null', () => {
  const coverage = map();
  assert.deepEqual(coverage.families(30_000), [{ family: 'fma32', maxAgeSeconds: 30, dueRatio: 0 }]);
  assert.deepEqual(coverage.devices(30_000)[0]?.families[0]?.ages[0], { sm: 0, seconds: null });
});

test('another plan keeps what ran and forgets what is planned no more', () => {
  const coverage = map();
  coverage.ran('GPU-a', 'fma32', [0, 2], 1_000);
  coverage.expect([{ ...TARGET, sms: [0, 4] }], 5_000);
  assert.deepEqual(coverage.devices(6_000)[0]?.families[0]?.ages, [
    { sm: 0, seconds: 5 },
    { sm: 4, seconds: null },
  ]);
  coverage.ran('GPU-a', 'fma32', [2], 7_000);
  coverage.expect([TARGET], 8_000);
  assert.deepEqual(coverage.devices(8_000)[0]?.families[0]?.ages[1], { sm: 2, seconds: null });
});
