import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import { loadSchedule } from '@sentinel/service-kit/config';
import fc from 'fast-check';
import { temporaryFolder } from '../testing/folder.js';
import { coverageTargets } from './coverage-targets.js';
import { planDirective, RefusedDirective } from './directive-plan.js';
import { plannedEntries, timetableOf } from './entries.js';
import { goldenCpus } from './golden-cpus.js';
import { storedIndices } from './index-store.js';
import { OverheadWindow } from './overhead.js';

const root = temporaryFolder();
const FAST = join(import.meta.dirname, '../../../../config/probe_schedules/fast.yaml');
const DEVICE = { id: 'CPU-a', sms: [2, 5], families: ['fma32' as const] };
const NOW_US = 1_700_000_000_000_000n;

test('a schedule file runs what this machine has and names the rest', () => {
  const { entries, absent } = plannedEntries(loadSchedule(FAST), ['fma32', 'int_aes'], 'cpu');
  assert.deepEqual(
    entries.map(({ family, periodMs }) => [family, periodMs]),
    [
      ['fma32', 10_000],
      ['int_aes', 10_000],
    ],
  );
  assert.ok(absent.includes('TENSOR_CORE') && !absent.includes('FMA'));
  const both = plannedEntries(loadSchedule(FAST), ['fma32', 'fma64'], 'cpu').entries;
  assert.deepEqual(
    both.map(({ probe, family }) => [probe, family]),
    [
      ['FMA', 'fma32'],
      ['FMA', 'fma64'],
    ],
    'a probe type runs all its families',
  );
});

test('a launch covers all SMs of a GPU; logical CPUs take turns', () => {
  const folder = mkdtempSync(join(root, 'x-'));
  const file = join(folder, 's.yaml');
  writeFileSync(file, 'name: s\nprobes:\n  - { type: FMA, period_seconds: 60, sm_coverage: 0.25 }\n');
  const schedule = loadSchedule(file);
  const coverage = (backend: 'cpu' | 'gpu') => plannedEntries(schedule, ['fma32'], backend).entries[0]?.coverage;
  assert.deepEqual([coverage('cpu'), coverage('gpu')], [0.25, 1]);
  const dueMs = (backend: 'cpu' | 'gpu') =>
    coverageTargets({ id: 'd', sms: [0, 1, 2, 3, 4], families: ['fma32'], backend }, schedule)[0]?.dueMs;
  assert.deepEqual([dueMs('cpu'), dueMs('gpu')], [180_000, 60_000]);
});

test('a device runs in each period once, at a moment of its own', () => {
  const planned = plannedEntries(loadSchedule(FAST), ['fma32'], 'cpu');
  const firstDue = (id: string) => {
    const timetable = timetableOf([{ id, sms: [0] }], planned);
    const [due] = timetable.due(1_700_000_000_000, 0);
    assert.ok(due !== undefined);
    timetable.started(due, 1_700_000_000_000);
    assert.deepEqual(timetable.due(1_700_000_000_000, 0), []);
    return timetable.nextDueMs(1_700_000_000_000) % 10_000;
  };
  assert.equal(firstDue('CPU-a'), firstDue('CPU-a'));
  assert.notEqual(firstDue('CPU-a'), firstDue('CPU-b'));
});

test('goldens come from two CPUs, not from those under test where others are free', () => {
  const cpus = fc.uniqueArray(fc.nat(64), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(cpus, fc.nat(), fc.nat(100), (all, pick, turn) => {
      const tested = [all[pick % all.length] ?? 0];
      const golden = goldenCpus(all, tested, turn);
      assert.equal(golden.length, Math.min(2, all.length));
      assert.equal(new Set(golden).size, golden.length);
      if (all.length >= 3) assert.ok(golden.every((cpu) => !tested.includes(cpu)));
    }),
  );
});

test('seed indices outlive a restart; a damaged file is said', () => {
  const folder = mkdtempSync(join(root, 'x-'));
  const first = storedIndices(folder, 'CPU-a');
  const used = [first.next(7), first.next(7), first.scheduled('fma32', 7)];
  const second = storedIndices(folder, 'CPU-a');
  assert.ok(!used.includes(second.next(7)));
  assert.equal(second.mayRunScheduled('fma32', 7), false);
  writeFileSync(join(folder, 'indices-CPU-b.json'), '{');
  assert.throws(() => storedIndices(folder, 'CPU-b'), /cannot be read/);
});

test('a directive is translated, or refused with what this node has', () => {
  const plan = (deviceId: string, family: ProbeFamily, sm: number) =>
    planDirective(
      { id: 'd', deviceId, work: { $case: 'burst', value: { family, sm, executions: 1_000, windowMs: 60_000 } } },
      [DEVICE],
      NOW_US,
    );
  assert.deepEqual(plan('CPU-a', ProbeFamily.FMA32, 5).steps, [
    { family: 'fma32', sm: 5, executions: 1_000, intervalMs: 60 },
  ]);
  for (const [device, family, sm, reason] of [
    ['CPU-b', ProbeFamily.FMA32, 5, /no device CPU-b/],
    ['CPU-a', ProbeFamily.INT_AES, 5, /it has fma32/],
    ['CPU-a', ProbeFamily.FMA32, 3, /no SM 3; it has 2, 5/],
  ] as const) {
    assert.throws(
      () => plan(device, family, sm),
      (error) => error instanceof RefusedDirective && reason.test(error.message),
    );
  }
  const until = { family: ProbeFamily.FMA32, sm: 2, intervalMs: 1_000, untilUs: NOW_US + 5_000_000n };
  const followUp = planDirective(
    { id: 'f', deviceId: 'CPU-a', work: { $case: 'followUp', value: until } },
    [DEVICE],
    NOW_US,
  );
  assert.deepEqual([followUp.sweep?.durationMs, followUp.sweep?.intervalMs], [5_000, 1_000]);
});

test('a deep test that is to be hot says which SMs heat the device', () => {
  const units = [{ family: ProbeFamily.FMA32, sm: 2, executions: 5 }];
  const plan = (preferHot: boolean) =>
    planDirective(
      { id: 'd', deviceId: 'CPU-a', work: { $case: 'deepTest', value: { units, sweepSeconds: 0, preferHot } } },
      [DEVICE],
      NOW_US,
    );
  assert.deepEqual([plan(true).warmingSms, plan(false).warmingSms], [DEVICE.sms, undefined]);
});

test('the overhead of a minute is that of the busiest CPU, and passes', () => {
  const window = new OverheadWindow();
  for (let second = 0; second < 60; second++) window.charge(1, 10_000, second * 1_000);
  window.charge(0, 30_000, 59_000);
  assert.ok(Math.abs(window.percent(59_500) - 1) < 1e-9);
  assert.ok(Math.abs(window.percent(89_500) - 0.5) < 0.02);
  assert.equal(window.percent(300_000), 0);
});
