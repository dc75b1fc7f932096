import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binOf, hasBin, UNKNOWN_BIN, withBin } from './bins.js';

test('what is not known is a bin of its own', () => {
  assert.equal(binOf(undefined), UNKNOWN_BIN);
  assert.equal(binOf({}), UNKNOWN_BIN);
  assert.notEqual(binOf({ temperatureC: 20 }), UNKNOWN_BIN);
  assert.notEqual(binOf({ powerW: 20 }), binOf({ temperatureC: 20 }));
});

test('heat and load tell bins apart, and a set of all of them is one integer', () => {
  assert.equal(binOf({ temperatureC: 71, powerW: 100 }), binOf({ temperatureC: 79, powerW: 149 }));
  const bins = new Set<number>();
  for (let temperatureC = -40; temperatureC < 120; temperatureC += 5)
    for (let powerW = 0; powerW < 1200; powerW += 50) {
      for (const known of [{ temperatureC, powerW }, { temperatureC }, { powerW }, {}]) bins.add(binOf(known));
    }
  assert.equal(bins.size, 30);
  const all = [...bins].reduce(withBin, 0);
  assert.ok(Number.isSafeInteger(all) && all > 0);
  assert.ok([...bins].every((bin) => hasBin(all, bin)));
  assert.equal(hasBin(withBin(0, 29), 28), false);
});
