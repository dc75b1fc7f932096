// What the kernels of the test build make of the faults that they are given, on fake GPUs: the table is the host's, the tap
// is that of test-build/cuda, compiled for this CPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownAnswersPath } from '../index.js';
import { knownAnswerFiles, readKnownAnswers } from '../scripts/known-answers-header.mjs';
import { goldenCpus, testProbes } from './addons.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { onGpu } from './fake-gpu/process.mjs';

const SMS = [0, 1, 2];
const SM = 2;
const LANE = 37;
/** The warp that computes it there: of the lane's group of four, the one on this sub-partition. */
const SUB_PARTITION = 3;
const WARP = 7;
const ONE_THREAD = { sm: SM, subPartition: SUB_PARTITION, lane: LANE };
const FMA32_WORDS = 512 * 7;
const FMA32_WORDS_OF_SM = FMA32_WORDS * 256;

const run = (family, rest = {}) => ['gpuExecute', { family, epoch: 3, index: 1, sms: SMS, goldenCpus, ...rest }];

/** Reports of executions with a fault each, none of which outlasts its own; each with how many words were changed. */
async function withFaults(executions, openWith) {
  const calls = executions.flatMap(({ fault, request }) => [
    ...(fault === null ? [] : [['inject', { gpu: 'all', family: request[1].family, ...fault }]]),
    request,
    ['falsified'],
    ['inject', null],
  ]);
  const returned = await onGpu({ devices: [{ sms: SMS.length }] }, calls, openWith, { test: true });
  const reports = returned.filter((value) => value?.results !== undefined);
  const counts = returned.filter((value) => value?.firstUs !== undefined).map(({ count }) => count);
  return reports.map((report, k) => ({ ...report, changed: counts[k] - (k === 0 ? 0 : counts[k - 1]) }));
}

async function available() {
  const [opened] = await onGpu({}, [], {}, { test: true });
  return opened.families.filter((family) => family.available);
}

const families = async () => (await available()).map(({ name }) => name);

const resultsOf = ({ results }) => results.map(({ result }) => result);

test('without a fault the kernels of the test build compute what the release computes', needsKernels, async () => {
  const names = await families();
  const reports = await withFaults(names.map((family) => ({ fault: null, request: run(family) })));
  for (const [k, report] of reports.entries()) {
    assert.deepEqual(resultsOf(report), ['PASS', 'PASS', 'PASS'], `${names[k]}: ${JSON.stringify(report.results)}`);
    assert.equal(report.changed, 0);
  }
});

for (const variant of ['full', 'small']) {
  test(
    `in every family a fault of one thread is found where it is, in the ${variant} variant`,
    needsKernels,
    async () => {
      const names = await families();
      const faulty = await withFaults(
        names.map((family) => ({ fault: ONE_THREAD, request: run(family) })),
        { variant },
      );
      for (const [k, report] of faulty.entries()) {
        assert.deepEqual(resultsOf(report), ['PASS', 'PASS', 'FAIL'], `${names[k]}: ${JSON.stringify(report.results)}`);
        const { lane, gpu } = report.results[SM].mismatch;
        assert.deepEqual([lane, gpu.subPartition, gpu.warp], [LANE, SUB_PARTITION, WARP], names[k]);
        assert.equal(report.results[SM].mismatch.mismatchCount, 1, `${names[k]}: of one lane`);
        assert.ok(report.changed > 0, names[k]);
      }
    },
  );
}

/** Of these the tap sees the words of a column in each iteration, as many each time; of the last ones of l2, its two results. */
const READING = {
  l2: { columns: 96, results: 2 * 32 },
  hbm: { columns: 96, results: 0 },
  copy: { columns: 32, results: 0 },
};
/** It sees what is written to one register in each iteration. */
const REGFILE = 'regfile';
const SFU_RESULTS = 8;
/** Of smem it sees the words of a lane's column: what a block may have of shared memory, 227 KiB less CUDA's own, by 256 threads. */
const SMEM_COLUMN = 226;

const numbers = Object.fromEntries(
  knownAnswerFiles(knownAnswersPath)
    .map(readKnownAnswers)
    .map(({ family, number }) => [family, number]),
);

/** How many words a lane folds in an execution, or what stands for them. */
function tappedWords({ name, iterations }) {
  if (name === REGFILE) return iterations;
  if (name === 'sfu') return iterations * SFU_RESULTS;
  if (name === 'smem') return iterations * SMEM_COLUMN;
  const of = { family: numbers[name], epoch: 3, index: 1, lane: LANE };
  const counts = Array.from(
    { length: iterations },
    (_, iteration) => testProbes.gpuResults({ ...of, iteration }).length,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

test('no result reaches the fold beside the tap', needsKernels, async () => {
  const there = await available();
  const reports = await withFaults(there.map(({ name }) => ({ fault: ONE_THREAD, request: run(name) })));
  for (const [k, { changed }] of reports.entries()) {
    const reading = READING[there[k].name];
    if (reading === undefined) assert.equal(changed, tappedWords(there[k]), there[k].name);
    else assert.equal((changed - reading.results) % reading.columns, 0, `${there[k].name}: ${changed}`);
  }
});

test('a fault per execution changes one word of each SM, in every family', needsKernels, async () => {
  const names = await families();
  const everywhere = { rateExec: 1, mask: 0x10000 };
  const reports = await withFaults(
    names.map((family) => ({ fault: family === 'sfu' ? { ...everywhere, sm: SM } : everywhere, request: run(family) })),
  );
  for (const [k, report] of reports.entries()) {
    const accused = report.results.filter(({ result }) => result === 'FAIL');
    assert.equal(report.changed, names[k] === 'sfu' ? 1 : SMS.length, names[k]);
    assert.equal(accused.length, report.changed, `${names[k]}: ${JSON.stringify(report.results)}`);
    for (const { mismatch } of accused) assert.equal(mismatch.mismatchCount, 1, names[k]);
  }
});

test(
  'a fault per word strikes as often as its rate says, independently on each SM unless they are alike',
  needsKernels,
  async () => {
    const rate = 0.002;
    const [own, again, alike] = await withFaults([
      { fault: { rate }, request: run('fma32') },
      { fault: { rate, seed: 2 }, request: run('fma32') },
      { fault: { rate, same: true }, request: run('fma32') },
    ]);
    const expected = rate * FMA32_WORDS_OF_SM * SMS.length;
    for (const { changed } of [own, again, alike])
      assert.ok(Math.abs(changed - expected) < 5 * Math.sqrt(expected), `${changed} of ${expected}`);
    assert.notEqual(own.changed, again.changed);
    const digests = (report) => new Set(report.results.map(({ digest }) => digest));
    assert.equal(digests(own).size, SMS.length);
    assert.equal(digests(alike).size, 1);
  },
);

test('effects change the bits that they name, in words with the data that they ask for', needsKernels, async () => {
  const bit = 0x200;
  const faults = [
    { effect: 'flip', mask: bit },
    { effect: 'stuck0', mask: bit },
    { effect: 'stuck1', mask: bit },
    { effect: 'flip', mask: bit, dataMask: bit, dataValue: bit },
    { effect: 'ulp' },
    { effect: 'xor' },
    { effect: 'flip' },
  ];
  const reports = await withFaults(
    faults.map((fault) => ({ fault: { ...ONE_THREAD, ...fault }, request: run('fma32') })),
  );
  const [flip, stuck0, stuck1, data, ulp, xor, random] = reports.map(({ changed }) => changed);
  assert.deepEqual([flip, ulp, xor, random], [FMA32_WORDS, FMA32_WORDS, FMA32_WORDS, FMA32_WORDS]);
  assert.ok(stuck0 > 0 && stuck1 > 0);
  assert.equal(stuck0 + stuck1, FMA32_WORDS, 'a bit is 0 or 1');
  assert.equal(data, stuck0, 'of words in which the bit is 1');
  const wrong = reports.map(({ results }) => results[SM].digest);
  assert.equal(new Set(wrong).size, faults.length - 1, 'flipping the ones makes them stuck at 0');
});

test('a fault ends with its table: what runs next on the same GPU passes', needsKernels, async () => {
  const [faulty, healthy] = await withFaults([
    { fault: ONE_THREAD, request: run('fma32') },
    { fault: null, request: run('fma32', { index: 2 }) },
  ]);
  assert.deepEqual(resultsOf(faulty), ['PASS', 'PASS', 'FAIL']);
  assert.deepEqual(resultsOf(healthy), ['PASS', 'PASS', 'PASS']);
});
