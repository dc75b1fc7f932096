import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Goals } from './goals.js';
import { report, table } from './report.js';

const goals: Goals = {
  seconds: { unit: 's', what: 'time', source: 'design', max: 60 },
  kills: { unit: '1', what: 'kills', source: 'design', min: 50 },
  rate: { unit: '1/s', what: 'rate', source: 'design' },
};

test('a run that measured everything within bounds is ok', () => {
  const { summary } = report('b', { figures: { seconds: 60, kills: 50, rate: 1 } }, goals);
  assert.deepEqual(summary, {
    bench: 'b',
    figures: { seconds: 60, kills: 50, rate: 1 },
    goals: { seconds: { max: 60, verdict: 'met' }, kills: { min: 50, verdict: 'met' }, rate: { verdict: 'reported' } },
    not_run: [],
    ok: true,
  });
});

const bad: [string, Record<string, number>, string[]][] = [
  ['a missed maximum', { seconds: 60.1, kills: 50, rate: 1 }, []],
  ['a missed minimum', { seconds: 1, kills: 49, rate: 1 }, []],
  ['a figure that is not a number', { seconds: Number.NaN, kills: 50, rate: 1 }, []],
  ['a goal that the run forgot', { seconds: 1, rate: 1 }, []],
  ['a figure without a goal', { seconds: 1, kills: 50, rate: 1, mine: 1 }, []],
  ['a figure named like a method of every object', { seconds: 1, kills: 50, rate: 1, toString: 1 }, []],
  ['an unknown name under not run', { seconds: 1, kills: 50, rate: 1 }, ['mine']],
];
for (const [name, figures, notRun] of bad) {
  test(`${name} is not ok`, () => {
    assert.equal(report('b', { figures, notRun }, goals).summary.ok, false);
  });
}

test('what a quick run left out is listed and does not fail it', () => {
  const { summary } = report('b', { figures: { seconds: 1, rate: 1 }, notRun: ['kills'] }, goals);
  assert.deepEqual(summary.not_run, ['kills']);
  assert.equal(summary.ok, true);
});

test('the table lines its columns up', () => {
  const { rows } = report('b', { figures: { seconds: 12.3456, rate: 3 }, notRun: ['kills'] }, goals);
  assert.equal(
    table(rows),
    [
      'figure   value  unit  goal   verdict',
      'seconds  12.35  s     <= 60  met',
      'kills    -      1     >= 50  not run',
      'rate     3      1/s          reported',
    ].join('\n'),
  );
});
