// The parts of the CUDA backend that need no GPU, in a program of their own (test/native/gpu_logic.cpp).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const program = join(import.meta.dirname, '..', 'addon', 'build', 'Release', 'gpu_logic_test');

test('placement, verdicts, majority, qualification, census and calibration', () => {
  const { status, stdout } = spawnSync(program, { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
