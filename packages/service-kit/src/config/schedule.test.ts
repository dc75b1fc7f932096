import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from './problems.js';
import { loadSchedule, PROBE_TYPES } from './schedule.js';
import { folderWith } from './testing.js';

const folder = new URL('../../../../config/probe_schedules/', import.meta.url).pathname;

function problems(cwd: string): string[] {
  try {
    loadSchedule('s.yaml', cwd);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

test('every schedule of the release loads and covers every probe type', () => {
  for (const name of ['default', 'aggressive', 'low_overhead', 'fast']) {
    const schedule = loadSchedule(`${name}.yaml`, folder);
    assert.equal(schedule.name, name);
    assert.deepEqual(schedule.entries.map(({ type }) => type).sort(), [...PROBE_TYPES].sort());
  }
});

test('aggressive is twice the rate of default and low_overhead a quarter', () => {
  const periods = (name: string) =>
    loadSchedule(`${name}.yaml`, folder).entries.map(({ periodSeconds }) => periodSeconds);
  assert.deepEqual(
    periods('aggressive'),
    periods('default').map((period) => period / 2),
  );
  assert.deepEqual(
    periods('low_overhead'),
    periods('default').map((period) => period * 4),
  );
});

test('a type stands for its families', () => {
  const { entries } = loadSchedule('fast.yaml', folder);
  assert.ok(entries.find(({ type }) => type === 'FMA')?.families.includes('fma32'));
  assert.deepEqual(entries.find(({ type }) => type === 'AES')?.families, ['int_aes']);
});

test('what is left out has its default', (context) => {
  const cwd = folderWith(context, { 's.yaml': 'name: mine\nprobes:\n  - type: AES\n    period_seconds: 30\n' });
  const schedule = loadSchedule('s.yaml', cwd);
  assert.deepEqual(schedule.entries, [
    {
      type: 'AES',
      families: ['int_aes'],
      periodSeconds: 30,
      smCoverage: 1,
      priority: 5,
      enabled: true,
      timeoutMs: 5000,
      line: 3,
    },
  ]);
  assert.equal(schedule.overheadBudgetPct, undefined);
  assert.ok(Object.isFrozen(schedule.entries[0]));
});

test('mistakes are named with file, line and key', (context) => {
  const cwd = folderWith(context, {
    's.yaml': [
      'name: mine',
      'overhead_budget_pct: 9',
      'probez: []',
      'probes:',
      '  - { type: FMA, period_seconds: 0 }',
      '  - { type: FMAA, period_seconds: 10, coverage: 1 }',
      '  - { type: AES, period_secs: 10 }',
      '  - { type: AES, period_seconds: 10, sm_coverage: 0 }',
      '',
    ].join('\n'),
  });
  const types = PROBE_TYPES.join(', ');
  assert.deepEqual(problems(cwd), [
    's.yaml:2: overhead_budget_pct: expected a number from 0.01 to 5, found number 9',
    's.yaml:3: probez: unknown key; did you mean probes?',
    's.yaml:5: probes.period_seconds: expected a number from 1 to 86400, found number 0',
    `s.yaml:6: probes.type: expected one of ${types}, found text "FMAA"`,
    's.yaml:6: probes.coverage: unknown key; did you mean sm_coverage?',
    's.yaml:7: probes.period_secs: unknown key; did you mean period_seconds?',
    's.yaml:7: probes.period_seconds: missing',
    's.yaml:8: probes.sm_coverage: expected a number from 0.001 to 1, found number 0',
    's.yaml:8: probes.type: AES is listed twice, first in line 7',
  ]);
});

test('an empty schedule is a mistake', (context) => {
  const cwd = folderWith(context, { 's.yaml': '' });
  assert.deepEqual(problems(cwd), [
    's.yaml:1: name: missing',
    's.yaml:1: probes: expected a list of at least one probe',
  ]);
  assert.deepEqual(problems(folderWith(context, {})), ['s.yaml: cannot read the configuration file (ENOENT)']);
});
