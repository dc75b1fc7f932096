// The host's side of family copy: every word of the buffers is what the definition says, and a wrong one is found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testProbes } from './addons.mjs';

const FAMILY = 19;
const BYTES = 16 << 20;
const ROW = 32 * 8 * 32;
const of = { family: FAMILY, epoch: 55, index: 6 };
const salt = (region, warp) => Math.imul(region * 8 + warp, 0x9e3779b1);

/** Inverse of an odd number modulo 2^32. */
function inverse(x) {
  let y = 1;
  for (let k = 0; k < 5; k++) y = Math.imul(y, 2 - Math.imul(x, y));
  return y;
}

/** What a kernel would fold of one column: its mean, without the salt. */
function meanOf(words, regions, region, warp, number, lane) {
  const n = words.length / regions / ROW;
  const odd = (n - 1) | 1;
  let sum = 0;
  for (let j = 0; j < odd; j++) sum += words[((region * n + j) * 32 + number) * 256 + warp * 32 + lane];
  return (Math.imul(Number(BigInt.asIntN(32, BigInt(sum))), inverse(odd)) - salt(region, warp)) >>> 0;
}

test('what a GPU reads of the buffer gives the golden, on every SM', () => {
  for (const regions of [1, 7, 132]) {
    const { words } = testProbes.copyCheck({ ...of, firstColumn: 0, regions });
    assert.ok(words.byteLength >= BYTES && words.byteLength < BYTES + regions * ROW * 4);
    for (const [region, warp, number, lane] of [
      [0, 0, 0, 0],
      [regions - 1, 7, 31, 31],
      [regions >> 1, 5, 9, 17],
    ]) {
      const logical = (warp >> 2) * 32 + lane;
      const [mean] = testProbes.gpuResults({ ...of, lane: logical, iteration: number });
      assert.equal(meanOf(words, regions, region, warp, number, lane), mean, `${regions} regions`);
    }
  }
});

test('no two words of neighbouring places are equal', () => {
  const { words } = testProbes.copyCheck({ ...of, firstColumn: 0, regions: 132 });
  const some = words.subarray(0, 1 << 18);
  // 2^18 random words of 32 bits have about 8 pairs of equal ones.
  assert.ok(some.length - new Set(some).size < 30);
});

test('a wrong word is found and named, the two directions differ', () => {
  const regions = 4;
  const right = testProbes.copyCheck({ ...of, firstColumn: 32, regions });
  assert.equal(right.count, 0);
  const n = right.words.length / regions / ROW;
  const flip = ((2 * n + 1) * 32 + 3) * 256 + 6 * 32 + 11;
  const { words, fillUs, compareUs, ...found } = testProbes.copyCheck({ ...of, firstColumn: 32, regions, flip });
  assert.deepEqual(found, {
    count: 1,
    offset: flip * 4,
    region: 2,
    warp: 6,
    lane: 43,
    column: 35,
    expected: right.words[flip],
    actual: words[flip],
  });
  assert.notDeepEqual(
    right.words.subarray(0, 64),
    testProbes.copyCheck({ ...of, firstColumn: 0, regions }).words.subarray(0, 64),
  );
});
