import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoarse } from './precision.js';

const FULL = [-0.123_456_789, -2.718_281_8, -0.000_912_345, -11.512_925];
const asBfloat16 = (value: number) => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint16(2, 0);
  return view.getFloat32(0);
};

test('numbers that were rounded are told from numbers of full precision', () => {
  for (const round of [asBfloat16, Math.f16round, (value: number) => Math.fround(Math.round(value * 1e3) / 1e3)])
    assert.equal(isCoarse(FULL.map(round)), true);
  assert.equal(isCoarse(FULL.map(Math.fround)), false);
  assert.equal(isCoarse([...FULL.map(asBfloat16), -0.123_456_789]), false);
  assert.equal(isCoarse([0, Number.NaN, Number.NEGATIVE_INFINITY]), true);
});
