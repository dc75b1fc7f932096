// What the host makes of faults of GPUs: which act on an execution, when they change, and what is refused.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { callAddon, open, UUID } from './fake-gpu/process.mjs';

const SMS = [0, 1, 2, 3];
const MACHINE = { devices: [{ sms: SMS.length }] };

let nextIndex = 0;
const execute = (family, rest = {}) => [
  'gpuExecute',
  { family, epoch: 31, index: nextIndex++, sms: SMS, goldenCpus, ...rest },
];
const inject = (fault) => ['inject', fault];
const CLEAR = inject(null);

/** What the calls returned in one process of the test build; none may throw. */
async function outcomesOf(calls, machine = MACHINE) {
  using gpu = await fakeGpu(machine);
  const { outcomes, status, stderr } = await callAddon(gpu.env, calls, { test: true });
  assert.equal(status, 0, stderr);
  for (const [k, { thrown }] of outcomes.entries()) assert.equal(thrown, undefined, `${calls[k]}: ${thrown}`);
  return outcomes.map(({ returned }) => returned);
}

/** The reports of the executions among the calls, on an open GPU. */
async function reportsOf(...calls) {
  const returned = await outcomesOf([open(), ...calls]);
  return returned.slice(1).filter((_, k) => calls[k][0] === 'gpuExecute');
}

const words = (report) => report.results.map(({ result }) => result);
const failing = (report) => report.results.filter(({ result }) => result === 'FAIL').map(({ sm }) => sm);

test('a fault of another GPU, or of another family, changes nothing', needsKernels, async () => {
  const elsewhere = inject('gpu=GPU-99999999-2222-3333-4444-555555555555,family=l2');
  const [report] = await reportsOf(elsewhere, inject('gpu=0,family=tc_fp64'), execute('l2'));
  assert.deepEqual(words(report), ['PASS', 'PASS', 'PASS', 'PASS']);
});

test(
  'faults may come before the GPU is opened; what they changed is counted, and the first is timed',
  needsKernels,
  async () => {
    const calls = [inject('gpu=0,sm=1,family=l2'), open(), ['falsified'], execute('l2'), ['falsified']];
    const [, , before, report, after] = await outcomesOf(calls);
    assert.deepEqual([before, failing(report)], [{ count: 0, firstUs: null }, [1]]);
    assert.ok(after.count > 0 && Math.abs(after.firstUs / 1000 - Date.now()) < 60_000);
  },
);

test('faults change while the GPU is open, and several act at once', needsKernels, async () => {
  const second = inject('gpu=all,sm=3,family=tc_fp64,effect=stuck1,mask=0x80000');
  const [first, both, none, again] = await reportsOf(
    inject(`gpu=${UUID},sm=0,sub-partition=3,family=tc_fp64`),
    execute('tc_fp64'),
    second,
    execute('tc_fp64'),
    CLEAR,
    execute('tc_fp64'),
    second,
    execute('tc_fp64'),
  );
  assert.deepEqual([first, both, none, again].map(failing), [[0], [0, 3], [], [3]]);
  assert.equal(both.results[0].mismatch.gpu.subPartition, 3);
  assert.equal(again.goldenCrcOk, true);
});

test('all SMs falsify alike if told to, and each in its own way if not', needsKernels, async () => {
  const all = (rest) => [CLEAR, inject({ gpu: 0, family: 'int_aes', rate: 0.01, ...rest })];
  const same = execute('int_aes');
  const [alike, once, apart, later] = await reportsOf(...all({ same: true }), same, same, ...all({}), same, same);
  const digests = (report) => [...new Set(report.results.map(({ digest }) => digest))];
  for (const report of [alike, once, apart, later]) assert.deepEqual(failing(report), SMS);
  assert.equal(digests(alike).length, 1);
  assert.deepEqual(digests(once), digests(alike), 'an execution of the same seed');
  assert.equal(digests(apart).length, SMS.length);
  assert.equal(new Set([...digests(apart), ...digests(later)]).size, 2 * SMS.length, 'each execution is another one');
});

test('rateExec is the probability that an execution of an SM fails, by one word', needsKernels, async () => {
  const executions = 150;
  const rate = 0.2;
  const [, , before, ...rest] = await outcomesOf([
    open(),
    inject({ gpu: 0, family: 'l2', rateExec: rate, seed: 5 }),
    ['falsified'],
    ...Array.from({ length: executions }, () => execute('l2')),
    ['falsified'],
  ]);
  const after = rest.pop();
  const failed = rest.flatMap(failing);
  const trials = executions * SMS.length;
  const sigma = Math.sqrt(trials * rate * (1 - rate));
  assert.ok(Math.abs(failed.length - trials * rate) < 4 * sigma, `${failed.length} of ${trials}`);
  assert.deepEqual([before.count, after.count], [0, failed.length]);
  for (const sm of SMS) assert.ok(failed.filter((each) => each === sm).length > 10, 'no SM is spared');
  const counts = rest.flatMap(({ results }) => results.flatMap(({ mismatch }) => mismatch?.mismatchCount ?? []));
  assert.deepEqual([...new Set(counts)], [1]);
});

test('a fault begins after its onset, in bursts, with heat and with clock', needsKernels, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-climate-'));
  const file = (name, value) => {
    writeFileSync(join(folder, name), `${value}\n`);
    return join(folder, name);
  };
  const of = (rest) => [
    CLEAR,
    inject({ gpu: 0, sm: 1, family: 'l2', ...rest }),
    ...Array.from({ length: 4 }, () => execute('l2')),
  ];
  try {
    const heat = { rate: 1e-6, heat: 0.5, heatReference: 60 };
    const reports = await reportsOf(
      ...of({ onset: 2 }),
      ...of({ burstEnter: 1, burstLeave: 1 }),
      ...of({ ...heat, heatFile: file('hot', 92_000) }),
      ...of({ ...heat, heatFile: file('cool', 20_000) }),
      ...of({ clockAbove: 1_700, clockFile: file('fast', 1_800_000) }),
      ...of({ clockAbove: 1_700, clockFile: file('slow', 1_600_000) }),
      ...of({ heat: 1, heatFile: join(folder, 'absent') }),
    );
    const failed = reports.map((report) => (failing(report).length > 0 ? 'F' : '-')).join('');
    assert.deepEqual(failed.match(/.{4}/g), ['--FF', 'F-F-', 'FFFF', '----', 'FFFF', '----', '----']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('GPUs and SMs that are not there are refused with those that are', needsKernels, async () => {
  using gpu = await fakeGpu(MACHINE);
  const calls = [
    inject('gpu=1,family=fma32'),
    open(),
    inject('gpu=0,sm=4,family=fma32'),
    inject('gpu=all,sm=4,family=fma32'),
  ];
  const { outcomes } = await callAddon(gpu.env, calls, { test: true });
  assert.deepEqual(
    outcomes.map(({ thrown }) => thrown),
    [
      `inject: gpu: no GPU 1 here; there are 0 (${UUID})`,
      undefined,
      ...Array(2).fill(`inject: sm: no SM 4 on ${UUID}; there are 0, 1, 2, 3`),
    ],
  );
});

test("the release's addon has no such function", needsKernels, async () => {
  using gpu = await fakeGpu(MACHINE);
  const { outcomes } = await callAddon(gpu.env, [open(), inject('gpu=0,family=l2'), ['falsified'], execute('l2')]);
  assert.deepEqual(
    outcomes.slice(1, 3).map(({ thrown }) => thrown),
    ['addon[name] is not a function', 'addon[name] is not a function'],
  );
  assert.deepEqual(words(outcomes[3].returned), ['PASS', 'PASS', 'PASS', 'PASS']);
});
