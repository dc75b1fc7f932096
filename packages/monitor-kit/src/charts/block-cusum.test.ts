import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../testing/random.js';
import { BlockCusum, type Shift } from './block-cusum.js';

const OPTIONS = { block: 20, reference: 50, allowance: 0.75, limit: 9 };
const LEARNING = OPTIONS.block * OPTIONS.reference;

/** Blocks after the reference until a shift is found, at most `blocks`. */
function found(shift: number, blocks = 200, wild = 0): { shift: Shift; after: number } | null {
  const random = new Random(17);
  const cusum = new BlockCusum(OPTIONS);
  for (let k = 0; k < LEARNING + blocks * OPTIONS.block; k += 1) {
    const level = k < LEARNING ? 0 : shift;
    const value = k % OPTIONS.block === 7 && wild !== 0 ? wild : random.normal() + level;
    const hit = cusum.push(3 + value);
    if (hit !== null) return { shift: hit, after: Math.floor((k - LEARNING) / OPTIONS.block) };
  }
  return null;
}

test('a level that stays is no shift, one that moves is found in its direction and size', () => {
  assert.equal(found(0), null);
  const up = found(0.6);
  assert.ok(up !== null && up.after < 15 && up.shift.sum > up.shift.limit);
  assert.ok(Math.abs(up.shift.shift - 0.6) < 0.25, `${up.shift.shift}`);
  const down = found(-0.6);
  assert.ok(down !== null && down.shift.sum < 0 && down.shift.shift < -0.3);
});

test('one wild value in every block moves none', () => {
  assert.equal(found(0, 200, 1e9), null);
});

test('after a shift was told the sum begins anew, and tells it again while it lasts', () => {
  const random = new Random(23);
  const cusum = new BlockCusum(OPTIONS);
  let told = 0;
  for (let k = 0; k < LEARNING + 2_000; k += 1) {
    if (cusum.push(random.normal() + (k < LEARNING ? 0 : 1)) !== null) told += 1;
  }
  assert.ok(told > 3 && told < 100, `${told}`);
});
