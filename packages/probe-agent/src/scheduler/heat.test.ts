import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceContext } from '../telemetry/context.js';
import { HEAT_POLL_MS, HeatKeeper, type HeatMoment, heatHoldMs } from './heat.js';

const COOL: DeviceContext = { temperatureC: 45, powerW: 100, hot: false };
const MOMENT: HeatMoment = { now: COOL, powerBeforeW: 100, hotShare: 0.05, periodMs: 60_000, overdueMs: 0 };

test('a run waits while the device is cool and had too few hot runs', () => {
  assert.equal(heatHoldMs(MOMENT), HEAT_POLL_MS);
  assert.equal(heatHoldMs({ ...MOMENT, hotShare: undefined }), HEAT_POLL_MS);
});

test('it does not wait when hot, at the end of a high-power window, with enough hot runs, or without telemetry', () => {
  assert.equal(heatHoldMs({ ...MOMENT, now: { ...COOL, hot: true } }), 0);
  assert.equal(heatHoldMs({ ...MOMENT, powerBeforeW: 400 }), 0);
  assert.equal(heatHoldMs({ ...MOMENT, hotShare: 0.2 }), 0);
  assert.equal(heatHoldMs({ ...MOMENT, now: undefined }), 0);
  assert.equal(heatHoldMs({ ...MOMENT, now: { hot: false } }), 0, 'a device without a temperature is never called hot');
});

test('no run waits longer than a quarter of its period or a minute', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 86_400_000 }), (periodMs) => {
      let overdueMs = 0;
      for (let ms = heatHoldMs({ ...MOMENT, periodMs }); ms > 0; ms = heatHoldMs({ ...MOMENT, periodMs, overdueMs }))
        overdueMs += ms;
      assert.ok(overdueMs <= Math.min(periodMs / 4, 60_000) + 1e-6);
    }),
    { numRuns: 50 },
  );
});

/** A day in which the device is hot for a while each hour; a run is due each minute. */
function day(hotSecondsPerHour: number): { readonly share: number; readonly runs: number } {
  let ms = 0;
  const contextAt = (): DeviceContext => ({ temperatureC: 60, hot: (ms / 1000) % 3600 < hotSecondsPerHour });
  const keeper = new HeatKeeper({ latest: contextAt });
  let runs = 0;
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    const dueMs = minute * 60_000;
    ms = Math.max(ms, dueMs);
    for (
      let hold = keeper.holdMs('d', 60_000, ms - dueMs, ms);
      hold > 0;
      hold = keeper.holdMs('d', 60_000, ms - dueMs, ms)
    )
      ms += hold;
    keeper.ran('d', contextAt(), ms);
    runs += 1;
  }
  return { share: keeper.hotShare('d', ms) ?? 0, runs };
}

test('a device that is hot a fifth of the time has a fifth of its runs hot, and none is left out', () => {
  const { share, runs } = day(720);
  assert.ok(share >= 0.2, `${share}`);
  assert.equal(runs, 1_440);
});

test('only a device with a temperature is cool', () => {
  const isCool = (now: DeviceContext | undefined) => new HeatKeeper({ latest: () => now }).isCool('d');
  assert.deepEqual([COOL, { ...COOL, hot: true }, { hot: false }, undefined].map(isCool), [true, false, false, false]);
});

test('the share forgets what is older than a day', () => {
  const keeper = new HeatKeeper({ latest: () => undefined });
  keeper.ran('d', { temperatureC: 90, hot: true }, 0);
  assert.equal(keeper.hotShare('d', 3_600_000), 1);
  assert.equal(keeper.hotShare('d', 25 * 3_600_000), undefined);
  keeper.ran('d', undefined, 0);
  assert.equal(keeper.hotShare('d', 25 * 3_600_000), undefined);
});
