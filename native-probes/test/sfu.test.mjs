// Operands of the special-function units against the oracle, and the bounds that results are held against.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { oracle, testProbes } from './addons.mjs';

const FAMILY = 14;
const LANES = 32;
const ITERATIONS = 32;
const WORDS = 8;

const view = new DataView(new ArrayBuffer(4));
const floatOf = (bits) => {
  view.setUint32(0, bits);
  return view.getFloat32(0);
};
const bitsOf = (value) => {
  view.setFloat32(0, value);
  return view.getUint32(0);
};

const FUNCTIONS = [
  { name: 'ex2', operand: 0, of: (x) => 2 ** x },
  { name: 'lg2', operand: 1, of: Math.log2 },
  { name: 'rcp', operand: 1, of: (x) => 1 / x },
  { name: 'rsqrt', operand: 1, of: (x) => 1 / Math.sqrt(x) },
  { name: 'sqrt', operand: 1, of: Math.sqrt },
  { name: 'sin', operand: 2, of: Math.sin },
  { name: 'cos', operand: 2, of: Math.cos },
  { name: 'tanh', operand: 3, of: Math.tanh },
];

/** What a perfect unit gives. */
function perfect(of, group, block) {
  const results = new Uint32Array(ITERATIONS * WORDS * LANES);
  for (let i = 0; i < ITERATIONS; i++) {
    for (let lane = 0; lane < LANES; lane++) {
      const at = { lane: group * LANES + lane, iteration: block * ITERATIONS + i };
      const operands = testProbes.sfuOperands({ ...of, ...at });
      FUNCTIONS.forEach(({ operand, of: f }, word) => {
        results[(i * WORDS + word) * LANES + lane] = bitsOf(f(floatOf(operands[operand])));
      });
    }
  }
  return results;
}

test('the oracle computes the same operands', () => {
  for (let k = 0; k < 4; k++) {
    const of = { epoch: 1000 + k, index: k, lane: 13 * k, iteration: 67 * k }; // each class once
    const numbers = [of.epoch, of.index, of.lane, of.iteration].map(String);
    const { stdout } = spawnSync('python3', [oracle, '--backend', 'gpu', '--operands', 'sfu', ...numbers]);
    assert.deepEqual(JSON.parse(stdout), Array.from(testProbes.sfuOperands({ family: FAMILY, ...of })));
  }
});

test('a quarter of the operands is uniform bits, the others lie at segment boundaries and beside them', () => {
  for (let iteration = 1; iteration < 128; iteration++) {
    const operands = testProbes.sfuOperands({ family: FAMILY, epoch: 3, index: 4, lane: 5, iteration });
    if (iteration % 4 === 0) continue;
    const boundary = operands[1] - ((iteration % 4) - 2);
    assert.equal(boundary & 0xffff, 0);
  }
});

test('results of a perfect unit are within the bounds, all classes and special values', () => {
  const of = { family: FAMILY, epoch: 9, index: 1 };
  for (const [group, block] of [
    [0, 0],
    [1, 3],
    [0, 7],
  ]) {
    const found = testProbes.sfuViolations({ ...of, group, block, results: perfect(of, group, block) });
    assert.deepEqual(found, { count: 0, first: null });
  }
});

test('a result beyond its error is named, for each function', () => {
  const of = { family: FAMILY, epoch: 9, index: 2 };
  FUNCTIONS.forEach(({ name }, word) => {
    const results = perfect(of, 1, 2);
    const iteration = 5; // a boundary less one unit: finite and in the documented range
    results[(iteration * WORDS + word) * LANES + 7] ^= 1 << 22; // the upper bit of the significand
    const { count, first } = testProbes.sfuViolations({ ...of, group: 1, block: 2, results });
    assert.equal(count, 1, name);
    const { lane, word: found } = first;
    assert.deepEqual([lane, first.iteration, found], [LANES + 7, 2 * ITERATIONS + iteration, word]);
  });
});

test('a NaN, an infinity and a zero out of place are beyond the bounds', () => {
  const of = { family: FAMILY, epoch: 9, index: 3 };
  for (const wrong of [0x7fffffff, 0x7f800000]) {
    const results = perfect(of, 0, 1);
    results[(6 * WORDS + 4) * LANES + 1] = wrong; // the square root of a finite number
    assert.equal(testProbes.sfuViolations({ ...of, group: 0, block: 1, results }).count, 1);
  }
  const results = perfect(of, 0, 1);
  results[(6 * WORDS + 2) * LANES + 1] = 0; // the reciprocal of a finite number
  assert.equal(testProbes.sfuViolations({ ...of, group: 0, block: 1, results }).count, 1);
});
