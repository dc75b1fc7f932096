import assert from 'node:assert/strict';
import { it } from 'node:test';
import { replicates } from '../figures/replicates.js';
import { parseScenario } from '../scenario/read.js';
import { spoken } from './hours.js';
import { htmlReport } from './html.js';
import { levelPlot } from './plots.js';
import { summarize } from './summary.js';
import { textReport } from './text.js';

const SCENARIO = parseScenario(
  'report.yaml',
  `
name: report
description: a <b>stuck</b> unit and a wrong golden
hours: 12
fleet: { gpus: 40, sms: 4 }
limits: { failing_runs: 2 }
faults:
  - { name: stuck, kind: unit, gpu: 3, family: tc_fp16, rate: 1 }
  - { name: never, kind: unit, gpu: 4, family: tc_fp16, rate: 0 }
`,
);

it('says what every fault came to, and what was missed', () => {
  const summary = summarize(SCENARIO, 1, [...replicates(SCENARIO, { seed: 1, count: 2 })]);
  assert.deepEqual(
    summary.faults.map(({ struck, quarantine }) => [struck, quarantine.count, quarantine.missing]),
    [
      [2, 2, 0],
      [2, 0, 2],
    ],
  );
  assert.equal(summary.missed, 2);
  const text = textReport(summary);
  assert.match(text, /^stuck +quarantine +2 +1 min +1 min +2 of 2 +11 min/m);
  assert.match(text, /^never .* 0 of 2 +never/m);
});

it('says that in observe mode nothing is quarantined, and nothing of it in enforce mode', () => {
  const observe = { ...SCENARIO, engine: { mode: 'observe' } };
  const summary = summarize(observe, 1, [...replicates(observe, { seed: 1, count: 1 })]);
  const said = /observe mode: by itself it takes nothing out of service\. Every fault of hardware counts as missed\./;
  for (const report of [textReport(summary), htmlReport(summary)]) assert.match(report, said);
  assert.deepEqual(summarize(SCENARIO, 1, [...replicates(SCENARIO, { seed: 1, count: 1 })]).notes, []);
});

it('the page is whole, and text in it stays text', () => {
  const html = htmlReport(summarize(SCENARIO, 1, [...replicates(SCENARIO, { seed: 1, count: 1 })]));
  assert.match(html, /a &lt;b&gt;stuck&lt;\/b&gt; unit/);
  assert.equal(html.match(/<svg /g)?.length, 2);
  assert.doesNotMatch(html, /<script|https?:|NaN|Infinity|undefined/);
});

it('hours are spoken as people do', () => {
  assert.deepEqual([1 / 3600, 1 / 6, 1.26, 30, 72, null].map(spoken), [
    '1 s',
    '10 min',
    '1.3 h',
    '30 h',
    '3 d',
    'never',
  ]);
});

it('an axis has round marks of one unit, time 0 among them', () => {
  const marks = (startHours: number, hours: number): string[] => {
    const timeline = [{ atHours: startHours, suspect: 1, out: 0 }];
    return [...levelPlot({ timeline, incidents: [] }, hours).matchAll(/>(-?\d+ (?:min|h|d))</g)].map(
      ([, text]) => text ?? '',
    );
  };
  assert.deepEqual(marks(-54 * 24, 14 * 24), ['-42 d', '-28 d', '-14 d', '0 d', '14 d']);
  assert.deepEqual(marks(-20, 12), ['-18 h', '-12 h', '-6 h', '0 h', '6 h', '12 h']);
  assert.deepEqual(marks(0, 2), ['0 min', '60 min', '120 min']);
});

it('says of a GPU that another fault had taken out before that it was out', () => {
  const both = parseScenario(
    'both.yaml',
    `
name: both
hours: 12
fleet: { gpus: 40, sms: 4 }
faults:
  - { name: first, kind: unit, gpu: 3, family: tc_fp16, rate: 1 }
  - { name: late, kind: unit, gpu: 3, family: fma32, rate: 1, start_hours: 6 }
`,
  );
  const text = textReport(summarize(both, 1, [...replicates(both, { seed: 1, count: 1 })]));
  assert.match(text, /^late .* 1 of 1/m);
  assert.match(text, /^late +quarantine +1 +out before +out before/m);
});
