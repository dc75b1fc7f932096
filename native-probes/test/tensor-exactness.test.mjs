// That the tensor core families expect the same of every architecture: models of their adders, in Python, with operands from
// the independent oracle.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { oracle } from './addons.mjs';

const script = join(dirname(oracle), 'check_tensor_exactness.py');
const check = (...args) => {
  const { status, stdout } = spawnSync('python3', [script, '--seeds', '2', ...args], { encoding: 'utf8' });
  return { status, counts: JSON.parse(stdout) };
};

test('every sum is exact under every model of a tensor core adder, in any order, also at the extremes', () => {
  const { status, counts } = check();
  assert.equal(status, 0, JSON.stringify(counts));
  for (const { places } of Object.values(counts)) assert.ok(places > 500);
});

test('operands with more bits are not exact, so the check can fail', () => {
  const { status, counts } = check('--wider', '6');
  assert.equal(status, 1);
  for (const format of ['fp16', 'bf16', 'tf32', 'fp8']) assert.ok(counts[format].inexact > 0, format);
});
