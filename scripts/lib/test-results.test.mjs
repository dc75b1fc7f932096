import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLine, summarise } from './test-results.mjs';

const result = (fields) => ({ cwd: '/w/a', passed: 0, failed: 0, skipped: [], failures: [], ...fields });
const run = { projects: ['/w/a'], exitCode: 0, ci: false };

test('adds the runs up', () => {
  const outcome = summarise([result({ passed: 3 }), result({ cwd: '/w/b', passed: 2 })], run);
  assert.deepEqual(outcome, { passed: 5, failed: 0, notes: [] });
  assert.equal(closingLine(outcome), '5 passed, 0 failed');
});

test('names each failure', () => {
  const failures = [{ name: 'adds', file: '/w/a/x.test.js', message: '1 !== 2' }];
  const outcome = summarise([result({ passed: 1, failed: 1, failures })], { ...run, exitCode: 1 });
  assert.deepEqual(outcome, { passed: 1, failed: 1, notes: ['FAILED adds (/w/a/x.test.js): 1 !== 2'] });
});

test('a message is told with its lines, up to what a list can hold', () => {
  const note = (message) =>
    summarise([result({ failed: 1, failures: [{ name: 'adds', file: 'x', message }] })], run).notes[0];
  assert.equal(note('differs:\n+ 1\n- 2\n'), 'FAILED adds (x): differs:\n  + 1\n  - 2');
  assert.equal(note('a'.repeat(2000)), `FAILED adds (x): ${'a'.repeat(1500)}…`);
});

test('a skipped test is named, and fails in CI', () => {
  const results = [result({ passed: 1, skipped: [{ name: 'gpu', reason: 'no GPU' }] })];
  assert.deepEqual(summarise(results, run), { passed: 1, failed: 0, notes: ['SKIPPED gpu (/w/a): no GPU'] });
  assert.equal(summarise(results, { ...run, ci: true }).failed, 1);
});

test('a package whose run reported no test fails', () => {
  assert.equal(summarise([], run).failed, 1);
  assert.equal(summarise([result({})], run).failed, 1);
});

test('a run that ends badly without a failed test fails all the same', () => {
  assert.equal(summarise([result({ passed: 4 })], { ...run, exitCode: 1 }).failed, 1);
});
