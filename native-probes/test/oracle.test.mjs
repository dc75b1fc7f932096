// Real mismatches of the test addon, recomputed by the independent Python script from (seed, lane, iteration) alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { cpus, families, fresh, oracle, testProbes, withFaults } from './addons.mjs';

const faulty = cpus.at(-1);
const RUNS = 40;

function lineOf({ family, epoch, index }, mismatch) {
  const { lane, iteration } = mismatch;
  const [operands, expected, actual] = [mismatch.operands, mismatch.expected, mismatch.actual].map((words) =>
    Array.from(words),
  );
  const differing = expected.map((word, k) => (word ^ actual[k]) >>> 0);
  const digest = mismatch.expectedDigest;
  return {
    family,
    epoch,
    index,
    lane,
    iteration,
    operands,
    expected,
    actual,
    differing_bits: differing,
    expected_digest: digest,
  };
}

function mismatchOf(family, fault) {
  const request = fresh(family, { sms: [faulty] });
  const report = withFaults([{ cores: [faulty], family, ...fault }], () => testProbes.execute(request));
  return lineOf(request, report.results[0].mismatch);
}

function ask(lines, ...options) {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return spawnSync('python3', [oracle, ...options], { input, encoding: 'utf8' });
}

test('the oracle agrees with every real mismatch', () => {
  const lines = families.flatMap((family) =>
    Array.from({ length: RUNS }, (_, k) => mismatchOf(family, { rate: 0.005, effect: 'xor', seed: k, lane: k % 8 })),
  );
  const { status, stdout, stderr } = ask(lines);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { checked: RUNS * families.length, bad: 0 });
});

test('it covers all eight operand classes', () => {
  for (const family of families.filter((name) => name.startsWith('fma'))) {
    const lines = Array.from({ length: 80 }, (_, seed) => mismatchOf(family, { rateExec: 1, seed, effect: 'xor' }));
    assert.equal(new Set(lines.map(({ iteration }) => iteration % 8)).size, 8);
    assert.equal(ask(lines).status, 0);
  }
});

test('it recomputes digests, and lane digests of a wrong fold', () => {
  const lines = families.flatMap((family) => [
    mismatchOf(family, { rate: 0.01 }),
    mismatchOf(family, { site: 'digest' }),
  ]);
  const { status, stderr } = ask(lines, '--digests');
  assert.equal(status, 0, stderr);
  const wrong = { ...lines[0], expected_digest: (lines[0].expected_digest ^ 1) >>> 0 };
  assert.equal(ask([wrong], '--digests').status, 1);
});

const flipped = (words, at) => words.map((word, k) => (k === at ? (word ^ 8) >>> 0 : word));

test('it rejects every corruption of a mismatch', () => {
  for (const family of families) {
    const line = mismatchOf(family, { rate: 0.01, lane: 2 });
    const corruptions = {
      operands: { ...line, operands: flipped(line.operands, 0) },
      expected: { ...line, expected: flipped(line.expected, line.expected.length - 1) },
      differing_bits: { ...line, differing_bits: flipped(line.differing_bits, 0) },
      actual: { ...line, actual: line.expected, differing_bits: line.expected.map(() => 0) },
      lane: { ...line, lane: (line.lane + 1) % 8 },
      iteration: { ...line, iteration: (line.iteration + 1) % 32 },
      epoch: { ...line, epoch: line.epoch + 1 },
      index: { ...line, index: line.index + 1 },
    };
    for (const [name, corrupted] of Object.entries(corruptions))
      assert.equal(ask([line, corrupted]).status, 1, `${family}: ${name}`);
    assert.equal(ask([line]).status, 0);
  }
});

test('it refuses what is no mismatch, and an empty input', () => {
  const line = mismatchOf('fma32', {});
  const garbage = [
    '{',
    '[]',
    '{}',
    { ...line, lane: 8 },
    { ...line, iteration: -1 },
    { ...line, family: 'sfu' },
    { ...line, actual: ['x'] },
    { ...line, epoch: 1.5 },
  ];
  for (const item of garbage) assert.equal(ask([item]).status, 2);
  assert.equal(ask([]).status, 2);
});
