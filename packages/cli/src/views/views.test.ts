import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState, ProbeFamily, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { type GpuHealth, UnitPosterior } from '@sentinel/contracts/sentinel/v1/health.js';
import {
  entrySample,
  explainSample,
  GPU,
  gpuSample,
  NOW_US,
  observationSample,
  runSample,
  summarySample,
  telemetrySample,
} from '../testing/samples.js';
import { auditTable, detailOf } from './audit.js';
import { changes } from './changes.js';
import { explanation } from './explain.js';
import { fleetSummary, gpuTable } from './fleet.js';
import { bitNumbers, differing } from './format.js';
import { gpuView } from './gpu.js';
import { historyView } from './history.js';
import { shortIds } from './ids.js';
import { observationLines } from './observation.js';
import { table } from './table.js';
import { hang, WIDTH, wrap } from './wrap.js';

const NO_HISTORY = { runs: [], telemetry: [], events: [] };

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

test('every view fits 80 columns and says INJECTED', () => {
  const views = {
    list: gpuTable([gpuSample(), gpuSample({ gpu: `${GPU}-2`, node: 'a-node-with-a-long-name' })], NOW_US),
    show: gpuView(gpuSample(), telemetrySample(), NOW_US),
    explain: explanation(explainSample(), NOW_US),
    history: historyView({ ...NO_HISTORY, runs: [runSample(), runSample({ failedSms: [] })] }),
    audit: auditTable([entrySample('{"event":"state_changed","from":"SUSPECT","to":"QUARANTINED"}')]),
    fleet: fleetSummary(summarySample()),
  };
  for (const [name, text] of Object.entries(views)) {
    assert.match(text, /INJECTED/, name);
    if (name !== 'list') assert.ok(longest(text) <= WIDTH, `${name}: ${longest(text)}\n${text}`);
  }
  assert.ok(longest(gpuTable([gpuSample()], NOW_US)) <= WIDTH);
});

test('without injection nothing says so', () => {
  assert.doesNotMatch(gpuTable([gpuSample({ injected: false })], NOW_US), /INJECTED|NOTE/);
  assert.doesNotMatch(fleetSummary(summarySample({ injectedGpus: 0 })), /INJECTED/);
});

test('a wrong result of a GPU names sub-partition and the iterations that it lies within', () => {
  const sample = explainSample();
  const observations = sample.observations.map((seen) => ({
    ...seen,
    iteration: 64,
    warp: 6,
    subPartition: 2,
    withinIterations: 32,
  }));
  const text = explanation({ ...sample, observations }, NOW_US);
  assert.match(text, /on SM \d+, sub-partition 2/);
  assert.match(text, /lane 6, within iterations 64\.\.95/);
  assert.match(text, /digest of the lane: expected 0x00007446/);
  const memory = observations.map((seen) => ({ ...seen, address: 65536 }));
  assert.match(explanation({ ...sample, observations: memory }, NOW_US), /word at byte 65536: expected 0x00007446/);
});

test('what a device lost in a job names no seed and no SM', () => {
  const lost = observationSample({
    ...{ family: ProbeFamily.UNSPECIFIED, kind: RunKind.JOB, sm: 0, operands: [], siblingsRun: 3, siblingsPassed: 3 },
    ...{ expected: [0x0badcafe, 0x0badcafe], actual: [0xffffffff, 0], injected: false },
  });
  const text = observationLines({ observations: [lost], units: [UnitPosterior.fromPartial({ counted: 1 })] })
    .join(' ')
    .replaceAll(/\s+/g, ' ');
  assert.match(text, /outvoted in a job, counted; 3 of 3 other devices had the same bits/);
  assert.match(text, /digest of the others 0x0badcafe 0x0badcafe, of this device 0xffffffff 0x00000000/);
  assert.doesNotMatch(text, /seed|SM 0/);
});

test('explain shows all seven gates, the observations with their bits, ledger entries and progress', () => {
  const text = explanation(explainSample(), NOW_US);
  for (const gate of ['1 integrity', '2 locality', '3 cohort', '4 dwell', '5 breadth', '6 node', '7 rate-limit'])
    assert.ok(text.includes(`  ${gate}`), gate);
  assert.match(text, /5 breadth +NOT_EVALUABLE/);
  assert.match(text, /registered_nodes: 1; setting: gates\.dwell/);
  assert.match(text, /seed epoch 179554881 index 0, lane 6, iteration 9/);
  assert.match(text, /word 1: expected 0x00007446, got 0x00007546, differing bits 0x00000100 \(8\)/);
  assert.doesNotMatch(text, /word 0/);
  assert.match(text, /held by\s+locality/);
  assert.match(text, /ledger\s+entry 5/);
  assert.match(text, /waiting\s+for\s+the\s+ledger/);
  assert.match(text, /by\s+operator token/);
  assert.match(text, /\n {2,}evidence: INC-17\n/);
  assert.match(text, /burst fma32 on SM 1: 240 of 1,000 executions, 3 wrong/);
  assert.match(text, /fma32 on SM 1: 12 of 1,000 clean executions/);
  assert.match(text, /What would change this\n {2}- HEALTHY: an operator orders REINSTATE\./);
});

test('more wrong results than a person reads are counted', () => {
  const lines = observationLines({ observations: Array.from({ length: 9 }, () => observationSample()), units: [] });
  assert.match(lines.at(-1) ?? '', /and 4 more/);
});

test('what counted once and is not held against the device any more says so', () => {
  const { units } = explainSample();
  const observations = [observationSample(), observationSample({ sm: 2 }), observationSample(), observationSample()];
  const verdicts = (known: typeof units): (string | undefined)[] =>
    observationLines({ observations, units: known })
      .join('\n')
      .match(/counted(?: then, not now)?/g) ?? [];
  assert.deepEqual(verdicts(units), ['counted', 'counted then, not now', 'counted', 'counted then, not now']);
  assert.deepEqual(new Set(verdicts([])), new Set(['counted then, not now']));
  const back = explanation({ ...explainSample(), units: [], hardObservations: 0, answers: 0 }, NOW_US);
  assert.match(back, /Counted now: 0, 0 in answer/);
  assert.doesNotMatch(back, /counted;/);
});

test('a canary that all SMs lost names none of them', () => {
  const lost = observationSample({ kind: RunKind.CANARY, siblingsPassed: 0 });
  const text = observationLines({ observations: [lost], units: [] }).join('\n');
  assert.match(text, /fma32 on all SMs that ran, canary/);
  const one = observationSample({ kind: RunKind.CANARY });
  assert.match(observationLines({ observations: [one], units: [] }).join('\n'), /fma32 on SM 1, canary/);
});

test('a device in observe mode shows what enforce mode would have done', () => {
  const gpu = gpuSample({ state: GpuState.SUSPECT, wouldBe: GpuState.QUARANTINED });
  assert.match(gpuTable([gpu], NOW_US), /SUSPECT.*would be QUARANTINED/);
  assert.match(gpuView(gpu, undefined, NOW_US), /enforce mode: QUARANTINED/);
});

test('nothing to show is said', () => {
  assert.match(gpuTable([], NOW_US), /No device/);
  assert.match(historyView(NO_HISTORY), /no run/);
  assert.match(auditTable([]), /no such entry/);
});

test('a pruned detail, or one that is no object, is no event', () => {
  assert.equal(detailOf(entrySample('')), null);
  assert.equal(detailOf(entrySample('7')), null);
  assert.match(auditTable([entrySample('')]), /detail pruned/);
  assert.match(auditTable([entrySample('{}')]), /\(no event\)/);
});

const NOTHING = new Map<string, GpuHealth>();
const known = (gpu: GpuHealth) => new Map([[gpu.gpu, gpu]]);

test('watch: everything at first, then what changed', () => {
  const old = gpuSample({ state: GpuState.SUSPECT });
  assert.deepEqual(
    changes(NOTHING, [old]).map(({ text }) => text),
    ['SUSPECT INJECTED: fma32 on SM 1: burst 240 of 1000', 'burst fma32 on SM 1: 240 of 1,000 executions, 3 wrong'],
  );
  assert.deepEqual(changes(known(old), [old]), []);
  const [burst] = old.directives;
  assert.ok(burst);
  const further = { ...old, executions: old.executions + 60n, failures: 250n, directives: [{ ...burst, done: 300n }] };
  assert.deepEqual(
    changes(known(old), [further]).map(({ text }) => text),
    ['2 wrong of 60 executions', 'burst fma32 on SM 1: 300 of 1,000 executions, 3 wrong'],
  );
  assert.deepEqual(changes(known(old), [{ ...old, directives: [{ ...burst, done: 290n }] }]), []);
  const out = changes(known(old), [{ ...old, state: GpuState.QUARANTINED }]);
  assert.deepEqual(out, [{ gpu: GPU, text: 'SUSPECT -> QUARANTINED INJECTED: fma32 on SM 1: burst 240 of 1000' }]);
  assert.deepEqual(changes(known(old), [{ ...old, state: GpuState.QUARANTINED }], false), [], 'an event says it');
  assert.equal(changes(known(old), [{ ...old, summary: 'other' }], false).length, 1);
  assert.equal(changes(known(old), [{ ...old, connected: false }])[0]?.text, 'away');
  assert.equal(changes(known({ ...old, connected: false }), [old])[0]?.text, 'back');
});

test('an id is shown as far as it is needed to be the only one', () => {
  const ids = ['GPU-8932f937-aa', 'GPU-8932f937-ab', 'CPU-1'];
  assert.deepEqual(
    [...shortIds(ids)],
    [
      ['CPU-1', 'CPU-1'],
      ['GPU-8932f937-aa', 'GPU-8932f937-aa'],
      ['GPU-8932f937-ab', 'GPU-8932f937-ab'],
    ],
  );
  assert.equal(shortIds([GPU]).get(GPU), 'GPU-8932f937');
  assert.equal(shortIds([GPU, GPU]).get(GPU), 'GPU-8932f937');
});

test('a table is as wide as its cells, without the columns that are empty', () => {
  const columns = [{ title: 'A' }, { title: 'N', align: 'right' }, { title: 'EMPTY' }] as const;
  assert.equal(
    table(columns, [
      ['\u001b[31mred\u001b[39m', '7', ''],
      ['x', '12', ''],
    ])
      .replaceAll('\u001b[31m', '')
      .replaceAll('\u001b[39m', ''),
    'A     N\nred   7\nx    12',
  );
});

test('text wraps at blanks', () => {
  assert.deepEqual(wrap('a bb ccc dddddddd', ' ', 6), [' a bb', ' ccc', ' dddddddd']);
  assert.deepEqual(hang('- ', 'one two three', 9), ['- one two', '  three']);
  assert.deepEqual(hang('name  ', ''), ['name']);
});

test('bits that differ, also where one result is shorter', () => {
  assert.deepEqual(differing([0xffffffff, 1], [0]), [0xffffffff, 1]);
  assert.deepEqual(bitNumbers(0x80000001), [0, 31]);
});

test('sensors show what a device offers, and nothing that it does not', () => {
  const text = gpuView(gpuSample(), telemetrySample(), NOW_US);
  for (const line of [
    'Sensors, read 7s ago',
    '  temperature  61 °C',
    '  power        355.3 W, limit 700 W',
    '  clocks       SM 1980 MHz, held back by power cap and thermal slowdown by',
    '  ECC errors   uncorrected 2, corrected 0',
    '  memory       a remapping waits for a reset',
    '  NVLink       17 of 18 links up',
    '  versions     driver 550.54.15',
  ]) {
    assert.ok(text.includes(`\n${line}`), `${line}\n${text}`);
  }
  assert.doesNotMatch(text, /PCIe|undefined|NaN/);
  assert.doesNotMatch(gpuView(gpuSample(), undefined, NOW_US), /Sensors/);
});

test('the history shows events and what changed in the sensors', () => {
  const own = { timeUs: NOW_US, commitSeq: 1n, node: 'n', sequence: 1n };
  const events = [{ ...own, event: 'loud_fault', detail: 'Xid 79 on GPU-1', injected: false }];
  const values = { temperature_c: 64, ecc_uncorrected_volatile_total: 1 };
  const telemetry = [
    { ...own, values, texts: {}, partial: true },
    { ...own, values, texts: { vbios: 'x' }, partial: false },
  ];
  const text = historyView({ runs: [], events, telemetry });
  assert.match(text, /loud fault: Xid 79 on GPU-1/);
  assert.match(text, /temperature_c 64, ecc_uncorrected_volatile_total 1/);
  assert.match(text, /all 3 fields/);
});
