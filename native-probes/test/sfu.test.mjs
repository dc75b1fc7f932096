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

/** The first (group, block, iteration, lane) whose operand of a function is as wanted. */
function placeOf(of, operand, isWanted) {
  for (let block = 0; block < 8; block++) {
    for (let k = 0; k < ITERATIONS * LANES * 2; k++) {
      const [iteration, lane] = [k >> 6, k % 64];
      const at = { lane, iteration: block * ITERATIONS + iteration };
      const x = floatOf(testProbes.sfuOperands({ ...of, ...at })[operand]);
      if (isWanted(x)) return { x, group: lane >> 5, block, iteration, lane: lane % 32 };
    }
  }
  throw new Error('no such operand');
}

/** How many results are out of bounds where all are perfect but this one. */
function violationsWith(of, { group, block, iteration, lane }, word, result) {
  const results = perfect(of, group, block);
  results[(iteration * WORDS + word) * LANES + lane] = bitsOf(result);
  return testProbes.sfuViolations({ ...of, group, block, results }).count;
}

test('where the documentation leaves something open, both are accepted, and nothing else', () => {
  const of = { family: FAMILY, epoch: 9, index: 4 };
  const negative = placeOf(of, 1, (x) => x < 0 && x > -(2 ** -126));
  for (const [word, flushed] of [
    [1, Number.NEGATIVE_INFINITY],
    [3, Number.NEGATIVE_INFINITY],
    [4, -0],
  ]) {
    assert.equal(violationsWith(of, negative, word, flushed), 0);
    assert.equal(violationsWith(of, negative, word, Number.NaN), 0);
    assert.equal(violationsWith(of, negative, word, 1), 1);
  }
  const far = placeOf(of, 2, (x) => Math.abs(x) > 100 * Math.PI && Number.isFinite(x));
  assert.equal(violationsWith(of, far, 5, 3), 0);
  const near = placeOf(of, 2, (x) => Math.abs(x) > 7 && Math.abs(x) < 100 * Math.PI);
  assert.equal(violationsWith(of, near, 6, Math.cos(near.x) + 2 ** -15), 0);
  assert.equal(violationsWith(of, near, 6, Math.cos(near.x) + 2 ** -14), 1);
});

test('an overflow must be an infinity', () => {
  const of = { family: FAMILY, epoch: 9, index: 5 };
  for (const least of [128, 1024]) {
    const large = placeOf(of, 0, (x) => x > least);
    assert.equal(violationsWith(of, large, 0, Number.POSITIVE_INFINITY), 0);
    assert.equal(violationsWith(of, large, 0, 3e38), 1);
  }
});

// docs/measurements: the greatest errors of cos that an H100 and an H200 gave where 2^-20.5 is documented.
test('what GPUs give beyond a rounded exponent of the documentation is accepted, and more is not', () => {
  for (const { index, lane, iteration, operand, given } of [
    { index: 901, lane: 40, iteration: 35, operand: 0x409d1464, given: 0x3e47c5ba },
    { index: 16_614, lane: 32, iteration: 104, operand: 0xc098e287, given: 0x3d85901b },
  ]) {
    const of = { family: FAMILY, epoch: 0, index };
    assert.equal(testProbes.sfuOperands({ ...of, lane, iteration })[2], operand);
    const [block, row] = [Math.floor(iteration / ITERATIONS), iteration % ITERATIONS];
    const place = { group: Math.floor(lane / LANES), lane: lane % LANES, block, iteration: row };
    assert.equal(violationsWith(of, place, 6, floatOf(given)), 0);
    assert.equal(violationsWith(of, place, 6, Math.cos(floatOf(operand)) + 2 ** -20.3), 1);
  }
});
