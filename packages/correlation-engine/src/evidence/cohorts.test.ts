import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cohortKey, cohortOf, parseCohort } from './cohorts.js';
import { deviceWith, IDENTITY } from './testing/device.js';

test('a cohort is one vendor, model, firmware, driver, CUDA, family and probe version', () => {
  const base = cohortKey(IDENTITY, 1, 1);
  const others = [
    cohortKey({ ...IDENTITY, vendor: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, model: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, driverVersion: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, vbiosVersion: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, cudaVersion: 'x' }, 1, 1),
    cohortKey(IDENTITY, 2, 1),
    cohortKey(IDENTITY, 1, 2),
  ];
  assert.equal(new Set([base, ...others]).size, 8);
  assert.notEqual(
    cohortKey({ ...IDENTITY, vendor: 'a"', model: 'b' }, 1, 1),
    cohortKey({ ...IDENTITY, vendor: 'a', model: '"b' }, 1, 1),
  );
  assert.equal(cohortOf(deviceWith('d'), 2), '', 'a family that was never announced has none');
  const gpu = { ...IDENTITY, vbiosVersion: '96.00', cudaVersion: '12.9' };
  assert.deepEqual(parseCohort(cohortKey(gpu, 8, 3)), { ...gpu, family: 8, probeVersion: 3 });
  assert.deepEqual(parseCohort(base), { ...IDENTITY, family: 1, probeVersion: 1 });
});
