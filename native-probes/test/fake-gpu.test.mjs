// The fake GPU is no accomplice: it has what the product calls, by its own arithmetic.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildFakeGpu, fakeSources } from '../scripts/build-fake-gpu.mjs';
import { needsFakeGpu } from './fake-gpu/needs.mjs';

const root = join(import.meta.dirname, '..');
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

test('the fake exports every driver function that the product takes from libcuda.so.1', needsFakeGpu, async () => {
  const wanted = [...readFileSync(join(root, 'cuda', 'driver.h'), 'utf8').matchAll(/^ {2}X\((cu\w+),/gm)].map(
    ([, name]) => name,
  );
  assert.ok(wanted.length > 30, `only ${wanted.length} functions found in cuda/driver.h`);
  const exported = run('nm', '--dynamic', '--defined-only', await buildFakeGpu())
    .split('\n')
    .map((line) => line.trim().split(/\s+/).at(-1));
  assert.deepEqual(
    wanted.filter((name) => !exported.includes(name)),
    [],
  );
});

const GOLDEN = /golden|known_answer|_results\(|sentinel::(fma32|fma64|add32|add64)\(/i;

test('the fake has no golden code: no expected result can come from the device', needsFakeGpu, async () => {
  const symbols = run('nm', '--demangle', '--defined-only', await buildFakeGpu()).split('\n');
  assert.ok(
    symbols.some((line) => line.includes('entry_of_sentinel_fma32')),
    'the kernels are there',
  );
  assert.deepEqual(
    symbols.filter((line) => GOLDEN.test(line) && !line.includes('int_aes_results')),
    [],
  );
  const read = fakeSources().flatMap((unit) => run('g++', '-MM', '-std=c++17', ...unit).match(/[^\s\\]+\.(h|cpp|cu)/g));
  assert.ok(read.length > 20);
  assert.deepEqual(
    read.filter((file) => /\/(cpu|addon|known-answers)\//.test(file) || /golden/.test(file)),
    [],
  );
});
