// Where the blocks of a launch went: an SM that none reached, or of which that is not certain, is NOT_RUN and never a PASS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { onGpu } from './fake-gpu/process.mjs';

const SMS = [0, 1, 2];
const AFTER = 'cuGraphLaunch';

/** One execution on three SMs with these faults after the device was opened. */
async function execute(faults, openWith = {}) {
  const machine = { devices: [{ sms: SMS.length }], faults: faults.map((fault) => ({ after: AFTER, ...fault })) };
  const request = { family: 'int_aes', epoch: 9, index: 1, sms: SMS, goldenCpus };
  const [, report] = await onGpu(machine, [['gpuExecute', request]], openWith);
  return { launches: report.gpu.launches, results: report.results, words: report.results.map(({ result }) => result) };
}

test('an SM that the first launches miss is reached by a relaunch', needsKernels, async () => {
  for (let missed = 1; missed <= 3; missed++) {
    const { launches, words } = await execute([{ kind: 'absent', sm: 1, to: missed }]);
    assert.deepEqual(words, ['PASS', 'PASS', 'PASS']);
    assert.equal(launches, missed + 1);
  }
});

test('an SM that no launch reaches is NOT_RUN after three relaunches, the others pass', needsKernels, async () => {
  for (const variant of ['full', 'small']) {
    const { launches, words, results } = await execute([{ kind: 'absent', sm: 1 }], { variant });
    assert.equal(launches, 4);
    assert.deepEqual(words, ['PASS', 'NOT_RUN', 'PASS']);
    assert.equal(results[1].reason, 'no block of any launch was placed on this SM');
    assert.equal(results[1].digest, 0);
  }
});

test('an SM that was not there when the device was opened is not among its SMs', needsKernels, async () => {
  const machine = { devices: [{ sms: 3 }], faults: [{ kind: 'absent', sm: 1 }] };
  const [opened] = await onGpu(machine, []);
  assert.deepEqual(opened.sms, [0, 2]);
});

test('a block that is moved to another SM is discarded', needsKernels, async () => {
  const { words, results } = await execute([{ kind: 'smid', sm: 1, says: 2, reads: 2 }]);
  assert.deepEqual(words, ['PASS', 'NOT_RUN', 'PASS']);
  assert.match(results[1].reason, /moved from SM 1 to SM 2/);
});

test('two blocks on one SM: the SM that got none is NOT_RUN, whoever claims to be it', needsKernels, async () => {
  const { words } = await execute([{ kind: 'smid', sm: 1, says: 0 }]);
  assert.deepEqual(words, ['PASS', 'NOT_RUN', 'PASS']);
});

test('with claims that anybody gets twice, an SM without a block still does not pass', needsKernels, async () => {
  const { words } = await execute([{ kind: 'claim' }, { kind: 'absent', sm: 2 }]);
  assert.equal(words[2], 'NOT_RUN');
  assert.ok(!words.includes('FAIL'));
});

test('no SM passes in a launch that did not happen', needsKernels, async () => {
  const { words } = await execute([{ kind: 'stale' }]);
  assert.deepEqual(words, ['NOT_RUN', 'NOT_RUN', 'NOT_RUN']);
});

test('no SM passes when what the kernel wrote is lost', needsKernels, async () => {
  const { words } = await execute([{ kind: 'stale', buffer: 0 }]);
  assert.deepEqual(words, ['NOT_RUN', 'NOT_RUN', 'NOT_RUN']);
});

test('no SM passes with arguments that arrive shifted', needsKernels, async () => {
  for (const shift of [4, 8, 16]) {
    const { words } = await execute([{ kind: 'arguments', shift }]);
    for (const word of words) assert.ok(['NOT_RUN', 'ERROR'].includes(word), `shifted by ${shift}: ${word}`);
  }
});
