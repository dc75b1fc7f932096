import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cusumOn, dayRatio, isJobWide, MAX_CUSUM, noiseRate } from './cusum.js';

const source = (cusum: number) => ({ source: 's', day: 10, events: 1, job: '', cusum });

test('a source is as noisy as it was watched to be, and 1 in 100 days before', () => {
  assert.equal(noiseRate(0, 0), 0.01);
  assert.ok(Math.abs(noiseRate(9_999, 999_900) - 0.01) < 1e-12);
  assert.ok(noiseRate(0, 1e6) > 0);
});

test('events of a quiet source say much, of a noisy one little; a day without speaks for health', () => {
  assert.equal(dayRatio(1, 0.01).toFixed(2), '2.84');
  assert.ok(dayRatio(1, 1) < 0.01);
  assert.equal(dayRatio(0, 0.01), -0.2);
  assert.equal(dayRatio(1000, 0.01), 6, 'no day convinces alone');
});

test('it is clipped at both ends, and quiet days bring it down', () => {
  assert.equal(cusumOn(source(9), 6, 10), MAX_CUSUM);
  assert.equal(cusumOn(source(0), -0.2, 10), 0);
  assert.ok(Math.abs(cusumOn(source(MAX_CUSUM), 0, 20) - (MAX_CUSUM - 2)) < 1e-12);
  assert.equal(cusumOn(source(MAX_CUSUM), 0, 1000), 0);
  fc.assert(
    fc.property(fc.nat(1e6), fc.double({ noNaN: true, min: 1e-12, max: 1e6 }), fc.nat(1e6), (events, noise, day) => {
      const cusum = cusumOn(source(0), dayRatio(events, noise), day);
      assert.ok(cusum >= 0 && cusum <= MAX_CUSUM);
    }),
  );
});

test('a job is to blame when its other devices exceed five times the noise', () => {
  assert.equal(isJobWide({ events: 40, gpus: 512 }, 1, 0.01), true);
  assert.equal(isJobWide({ events: 20, gpus: 512 }, 1, 0.01), false);
  assert.equal(isJobWide({ events: 30, gpus: 512 }, 30, 0.01), false, 'the device alone');
  assert.equal(isJobWide({ events: 30, gpus: 1 }, 1, 0.01), false);
  assert.equal(isJobWide({ events: 30, gpus: 0 }, 1, 0.01), false, 'of unknown size');
});
