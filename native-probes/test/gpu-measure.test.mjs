// The measurement program, on a fake GPU: what it prints where there is no GPU to measure is not a measurement.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';

const programs = join(import.meta.dirname, '..', 'build', 'Release');

function run(program, env, ...args) {
  const { stdout, status } = spawnSync(join(programs, program), args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { lines, status, summary: lines.at(-1), of: (check) => lines.filter((line) => line.check === check) };
}

const measure = (env, ...args) => run('gpu_measure', env, ...args);

test('without a GPU they say so and fail', () => {
  for (const program of ['gpu_measure', 'gpu_measure_faults']) {
    const { status, lines, summary } = run(program, {});
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    assert.match(summary.error, /libcuda\.so\.1/);
  }
});

test('every check prints its line, and a healthy GPU passes known answers and digests', needsKernels, async () => {
  using gpu = await fakeGpu({ devices: [{ sms: 4 }] });
  const { of, summary } = measure(gpu.env, '--seconds', '4', '--seeds', '1', '--family', 'fma32');
  assert.equal(of('device')[0].sms, 4);
  assert.deepEqual(
    of('digests').map(({ family, met, seeds, PASS }) => ({ family, met, seeds, PASS })),
    [{ family: 'fma32', met: true, seeds: 1, PASS: 4 }],
  );
  assert.equal(of('known_answers')[0].passed, 4);
  for (const check of ['coverage_idle', 'coverage_beside_tenant', 'overhead'])
    assert.equal(of(check).length, 1, `${check}: ${JSON.stringify(summary)}`);
  assert.equal(of('coverage_idle')[0].met, true);
});

test('a GPU that computes wrongly fails', needsKernels, async () => {
  using gpu = await fakeGpu({ devices: [{ sms: 4 }], faults: [{ kind: 'wrong', unit: 'f32', sm: 2, xor: 1 }] });
  const { of, status, summary } = measure(gpu.env, '--seconds', '2', '--seeds', '1', '--family', 'fma32');
  assert.equal(status, 1);
  const fma32 = of('digests').find((line) => line.family === 'fma32');
  assert.deepEqual([fma32.met, fma32.FAIL, fma32.PASS], [false, 1, 3]);
  assert.match(fma32.first_not_passed, /^SM 2: FAIL/);
  assert.ok(summary.missed.includes('digests'));
});

test('injected faults are found where they are, and nowhere else', needsKernels, async () => {
  const device = { sms: 3 }; // the least of which sfu has a majority
  using healthy = await fakeGpu({ devices: [device] });
  const { of, status } = run('gpu_measure_faults', healthy.env);
  assert.equal(status, 0);
  assert.ok(of('injected_faults').length > 10);
  for (const line of of('injected_faults'))
    assert.deepEqual(
      [line.sms, line.found_in_place, line.not_passed_elsewhere, line.met],
      [3, 3, 0, true],
      line.family,
    );

  using faulty = await fakeGpu({ devices: [device], faults: [{ kind: 'wrong', unit: 'f32', sm: 2, xor: 1 }] });
  const { of: found, status: missed } = run('gpu_measure_faults', faulty.env);
  assert.equal(missed, 1);
  const fma32 = found('injected_faults').find(({ family }) => family === 'fma32');
  assert.deepEqual([fma32.met, fma32.not_passed_elsewhere], [false, 2], 'what is really wrong is no injected fault');
});
