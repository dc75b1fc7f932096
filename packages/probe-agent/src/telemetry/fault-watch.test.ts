import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultWatch } from './fault-watch.js';

const reading = (values: Record<string, number>) => ({ values, texts: {} });

test('a counter that rises is a loud fault; the first reading, an equal and a reset counter are none', () => {
  const watch = new FaultWatch();
  const look = (errors: number, monoMs: number) =>
    watch.observe(
      'g',
      reading({ ecc_uncorrected_volatile_total: errors, ecc_corrected_volatile_total: monoMs }),
      monoMs,
    );
  assert.deepEqual(look(3, 0), []);
  assert.deepEqual(look(3, 1), []);
  assert.equal(watch.since('g', 0), false);
  assert.deepEqual(look(5, 2), [{ kind: 'ecc', deviceId: 'g', detail: 'uncorrectable ECC errors: 2 more' }]);
  assert.deepEqual(look(0, 3), []);
  assert.deepEqual(look(1, 4).length, 1);
  assert.deepEqual([watch.since('g', 4), watch.since('g', 5), watch.since('other', 0)], [true, false, false]);
});

test('a counter that appears only later is no fault, and one that is absent in between is not forgotten', () => {
  const watch = new FaultWatch();
  const looks = [{}, { machine_checks: 7 }, {}, { machine_checks: 8 }].map((values, k) =>
    watch.observe('c', reading(values), k),
  );
  assert.deepEqual(looks, [[], [], [], [{ kind: 'machine_check', deviceId: 'c', detail: 'machine checks: 1 more' }]]);
});

test('a lost device is said once until it is back', () => {
  const watch = new FaultWatch();
  const said = [true, true, false, true].map((lost, k) => watch.lost('g', lost, 'GPU_IS_LOST', k).length);
  assert.deepEqual(said, [1, 0, 0, 1]);
  assert.equal(watch.since('g', 3), true);
});
