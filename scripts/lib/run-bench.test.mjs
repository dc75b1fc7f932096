import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './testing.mjs';

const RUNNER = fileURLToPath(new URL('./run-bench.mjs', import.meta.url));

/** Runs a benchmark that reports `outcome` for the goals of `startup`. */
function runBench(t, outcome, ...args) {
  const text = `import fs from 'node:fs';
    const run = async ({ quick, args, folder, log }) => {
      log('working');
      return ${outcome};
    };
    export default { name: 'startup', run };`;
  const folder = temporaryFolder(t, { 'startup.mjs': text });
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, path.join(folder, 'startup.mjs'), ...args], {
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, stderr, lines, summary: stdout === '' ? undefined : JSON.parse(lines.at(-1)) };
}

test('prints a table, then one line of JSON judged by docs/goals.json', (t) => {
  const { status, stderr, lines, summary } = runBench(t, '{ figures: { cold_seconds: 60, warm_seconds: 3 } }');
  assert.equal(status, 0);
  assert.equal(stderr, 'working\n');
  assert.match(lines[0], /^figure +value +unit +goal +verdict$/);
  assert.equal(summary.bench, 'startup');
  assert.deepEqual(summary.figures, { cold_seconds: 60, warm_seconds: 3 });
  assert.deepEqual(summary.goals.warm_seconds, { max: 5, verdict: 'met' });
  assert.deepEqual([summary.not_run, summary.ok], [[], true]);
});

test('a missed goal, and a figure that is neither measured nor named as left out, fail', (t) => {
  const missed = runBench(t, '{ figures: { cold_seconds: 60, warm_seconds: 9 } }');
  assert.deepEqual([missed.status, missed.summary.ok], [1, false]);
  assert.equal(runBench(t, '{ figures: { cold_seconds: 60 } }').status, 1);
});

test('--quick and further arguments reach the benchmark; what it leaves out is listed', (t) => {
  const outcome = "{ figures: { warm_seconds: quick && args[0] === 'more' ? 3 : 9 }, notRun: ['cold_seconds'] }";
  const { status, summary } = runBench(t, outcome, '--quick', 'more');
  assert.deepEqual([status, summary.not_run], [0, ['cold_seconds']]);
});

test('a benchmark that throws fails without a summary', (t) => {
  const { status, lines } = runBench(t, "await Promise.reject(new Error('no'))");
  assert.equal(status, 1);
  assert.deepEqual(lines, ['']);
});

test("the benchmark's folder is gone afterwards", (t) => {
  const file = path.join(temporaryFolder(t), 'seen');
  runBench(t, `(fs.writeFileSync(${JSON.stringify(file)}, folder), { figures: { cold_seconds: 1, warm_seconds: 1 } })`);
  const folder = fs.readFileSync(file, 'utf8');
  assert.match(folder, /sentinel-bench-startup-/);
  assert.equal(fs.existsSync(folder), false);
});
