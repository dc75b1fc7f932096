// Fake GPUs that compute wrong values, or whose memory, arguments or copies are damaged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { onGpu } from './fake-gpu/process.mjs';

const SMS = [0, 1, 2, 3];
const AFTER = 'cuGraphLaunch';

const request = (family, rest = {}) => ['gpuExecute', { family, epoch: 9, index: 1, sms: SMS, goldenCpus, ...rest }];

async function execute(family, faults, { device, ...rest } = {}) {
  const machine = {
    devices: [{ sms: SMS.length, ...device }],
    faults: faults.map((fault) => ({ after: AFTER, ...fault })),
  };
  const [, report] = await onGpu(machine, [request(family, rest)], rest.open);
  return report;
}

/** Of these families those that the fake GPU's kernels have. */
async function available(...families) {
  const [opened] = await onGpu({}, []);
  return families.filter((name) => opened.families.some((family) => family.name === name && family.available));
}

const words = (report) => report.results.map(({ result }) => result);

/** What is wrong in a family's unit: every so many results of it have other bits. */
const wrong = (unit, every = 100, xor = 0x400) => ({ unit, every, xor });
const FAULTS = {
  fma32: wrong('f32'),
  fma64: wrong('f64'),
  fma16: wrong('f16'),
  bf16: wrong('bf16'),
  tc_fp16: wrong('tensor'),
  tc_bf16: wrong('tensor'),
  tc_tf32: wrong('tensor'),
  tc_fp8: wrong('tensor'),
  tc_int8: wrong('tensor'),
  tc_fp64: wrong('tensor'),
  sfu: wrong('sfu'),
  int_aes: wrong('integer'),
  regfile: wrong('integer'),
  smem: wrong('shared'),
  l2: wrong('memory'),
  hbm: wrong('memory'),
  copy: wrong('memory'),
};

test(
  'one wrong operation in one lane of one sub-partition is found on that SM alone, and located',
  needsKernels,
  async () => {
    const [opened] = await onGpu({}, []);
    for (const family of opened.families.filter(({ available }) => available).map(({ name }) => name)) {
      const fault = FAULTS[family];
      assert.ok(fault !== undefined, `no fault is known that ${family} must find`);
      const report = await execute(family, [{ kind: 'wrong', sm: 2, warp: 6, lane: 13, ...fault }]);
      assert.deepEqual(words(report), ['PASS', 'PASS', 'FAIL', 'PASS'], family);
      const { mismatch, digest } = report.results[2];
      assert.notEqual(digest, report.expectedDigest);
      assert.equal(mismatch.gpu.warp, 6, family);
      assert.equal(mismatch.gpu.subPartition, 2, family);
      // A matrix load of smem brings a lane the words of four others.
      if (family === 'smem') assert.equal(Math.floor(mismatch.lane / 32), 1);
      else assert.equal(mismatch.lane, 32 + 13, `${family}: warp 6 computes the second group`);
      assert.equal(mismatch.gpu.withinIterations, 32);
      assert.equal(mismatch.expectedDigest, report.expectedDigest);
    }
  },
);

test('the block of 32 iterations with the first wrong result is named', needsKernels, async () => {
  // Seven results of an iteration: the 400th lies in iteration 57.
  const faults = [{ kind: 'wrong', sm: 1, warp: 0, lane: 5, unit: 'f32', xor: 1, every: 400 }];
  const report = await execute('fma32', faults);
  assert.equal(report.results[1].result, 'FAIL');
  assert.equal(report.results[1].mismatch.iteration, 32);
});

test('a sub-partition that is always wrong is the only one named', needsKernels, async () => {
  for (const variant of ['full', 'small']) {
    const faults = [{ kind: 'wrong', sm: 0, subpartition: 3, unit: 'f32', xor: 0x80000000 }];
    const report = await execute('fma32', faults, { open: { variant } });
    assert.deepEqual(words(report), ['FAIL', 'PASS', 'PASS', 'PASS']);
    assert.equal(report.results[0].mismatch.gpu.subPartition, 3);
    assert.equal(report.results[0].mismatch.mismatchCount, 64);
  }
});

test('a GPU of which all SMs are wrong fails on all of them', needsKernels, async () => {
  const report = await execute('int_aes', [{ kind: 'wrong', unit: 'integer', xor: 2 }]);
  assert.deepEqual(words(report), ['FAIL', 'FAIL', 'FAIL', 'FAIL']);
});

test(
  'SMs reproduce the committed answers of every family, and the one that does not is accused',
  needsKernels,
  async () => {
    const faults = [{ kind: 'wrong', sm: 1, unit: 'f64', xor: 4, every: 1000 }];
    const sms = 3; // the least of which sfu has a majority
    const [opened, answers] = await onGpu({ devices: [{ sms }], faults }, [['gpuKnownAnswers']]);
    const families = opened.families.filter(({ available }) => available).map(({ name }) => name);
    assert.deepEqual([...new Set(answers.map(({ family }) => family))].sort(), families.sort());
    assert.equal(answers.length, sms * families.length);
    for (const { sm, family, result, reason, executed, firstBad } of answers) {
      const accused = sm === 1 && family === 'fma64';
      assert.equal(result, accused ? 'FAIL' : 'PASS', `${family} on SM ${sm}: ${reason}`);
      assert.ok(executed > 0);
      assert.equal(firstBad?.source, accused ? 'unit' : undefined);
    }
  },
);

// Byte offsets in the one copy that brings the tables of four SMs back: claims, records, digests, each from a multiple of 256.
const RECORDS = 256;
const RECORD_BYTES = 72;
const DIGESTS = 768;
const WARPS_BYTES = 8 * 32 * 4;

test('a bit that flips on the way to the host is no PASS, and accuses nobody', needsKernels, async () => {
  const places = [
    ['the claim of SM 1', 4, 'NOT_RUN'],
    ['the ticket of SM 1', RECORDS + RECORD_BYTES, 'NOT_RUN'],
    ['the first %smid of SM 1', RECORDS + RECORD_BYTES + 4, 'NOT_RUN'],
    ['the finished warps of SM 1', RECORDS + RECORD_BYTES + 12, 'NOT_RUN'],
    ['how many disagreements SM 1 found', RECORDS + RECORD_BYTES + 16, 'INCONCLUSIVE'],
    ['a digest of SM 1', DIGESTS + WARPS_BYTES + 20, 'INCONCLUSIVE'],
  ];
  for (const [name, byte, expected] of places) {
    const report = await execute('int_aes', [{ kind: 'copy', direction: 'd2h', byte, bit: 0 }]);
    assert.deepEqual(words(report), ['PASS', expected, 'PASS', 'PASS'], name);
    assert.equal(report.results[1].mismatch, null);
    if (expected === 'INCONCLUSIVE') assert.match(report.results[1].reason, /what came back/);
  }
});

test('a golden that is damaged on its way to the device accuses nobody', needsKernels, async () => {
  const report = await execute('int_aes', [{ kind: 'copy', direction: 'h2d', byte: 8, bit: 3 }]);
  assert.equal(report.goldenCrcOk, false);
  for (const { result, reason } of report.results) {
    assert.equal(result, 'INCONCLUSIVE');
    assert.match(reason, /the golden changed/);
  }
});

// Where the addon's one piece of device memory begins, the arena does: offsets in it are those of the buffer.
const ARENA = 0;

test(
  'a cell of the memory that sticks is found by its address, in the SM whose region it is',
  needsKernels,
  async () => {
    for (const family of await available('l2', 'hbm')) {
      const byte = 4 * 5_001;
      const report = await execute(family, [{ kind: 'memory', buffer: ARENA, byte, bit: 6, stuck: 1 }]);
      const failed = report.results.filter(({ result }) => result === 'FAIL');
      assert.deepEqual(
        failed.map(({ sm, mismatch }) => ({ sm, address: mismatch.gpu.address })),
        [{ sm: 0, address: byte }],
        family,
      );
      assert.deepEqual(words(report).slice(1), ['PASS', 'PASS', 'PASS'], family);
    }
  },
);

test('a cell of the shared memory of one SM that sticks is found by its address', needsKernels, async () => {
  const [family] = await available('smem');
  for (const stuck of family === undefined ? [] : [0, 1]) {
    const byte = 4 * 9_001 + 2;
    const report = await execute('smem', [{ kind: 'shared', sm: 1, byte, bit: 5, stuck }]);
    assert.deepEqual(words(report), ['PASS', 'FAIL', 'PASS', 'PASS']);
    assert.equal(report.results[1].mismatch.gpu.address, byte - 2);
  }
});

test('of special functions the majority of SMs is right, and without one nobody is accused', needsKernels, async () => {
  if ((await available('sfu')).length === 0) return;
  const one = await execute('sfu', [{ kind: 'wrong', sm: 3, unit: 'sfu', xor: 1, every: 50 }]);
  assert.deepEqual(words(one), ['PASS', 'PASS', 'PASS', 'FAIL']);
  const split = [0, 1].map((sm) => ({ kind: 'wrong', sm, unit: 'sfu', xor: 1 }));
  const { goldenAgreed, results } = await execute('sfu', split);
  assert.equal(goldenAgreed, false);
  for (const { result, reason } of results) {
    assert.equal(result, 'INCONCLUSIVE');
    assert.match(reason, /more than half/);
  }
});

/** All SMs are wrong alike, in every eighth special function: tanh. */
const wrongTanh = (xor) => ({ kind: 'wrong', unit: 'sfu', every: 8, xor });

test('a majority outside of the documented errors accuses nobody, one within them is right', needsKernels, async () => {
  const report = await execute('sfu', [wrongTanh(0x400000)]);
  assert.equal(report.goldenAgreed, false);
  for (const { result, reason, mismatch } of report.results) {
    assert.deepEqual([result, mismatch], ['INCONCLUSIVE', null]);
    assert.match(
      reason,
      /^the majority of the SMs is outside of the documented error of tanh: tanh\(0x[0-9a-f]{8}\) = 0x[0-9a-f]{8} in lane \d+, iteration \d+, and \d+ of 8192 results/,
    );
  }
  assert.deepEqual(words(await execute('sfu', [wrongTanh(1)])), ['PASS', 'PASS', 'PASS', 'PASS']);
});

test('results of the majority that are damaged on their way to the host accuse nobody', needsKernels, async () => {
  // Tables, running digests, and then these results are copied.
  const report = await execute('sfu', [{ kind: 'copy', direction: 'd2h', byte: 4_001, bit: 2, from: 3, to: 3 }]);
  for (const { result, reason } of report.results) {
    assert.equal(result, 'INCONCLUSIVE');
    assert.match(reason, /are not those that the majority folded/);
  }
});

test('a GPU whose special functions are wrong on all SMs does not qualify for sfu', needsKernels, async () => {
  const faults = [wrongTanh(0x400000)];
  const [, answers] = await onGpu({ devices: [{ sms: 3 }], faults }, [['gpuKnownAnswers']]);
  const unfit = answers.filter(({ result }) => result !== 'PASS');
  assert.deepEqual(
    unfit.map(({ family, sm, result, firstBad }) => ({ family, sm, result, firstBad })),
    [0, 1, 2].map((sm) => ({ family: 'sfu', sm, result: 'INCONCLUSIVE', firstBad: null })),
  );
  for (const { reason } of unfit) assert.match(reason, /documented error of tanh/);
});
