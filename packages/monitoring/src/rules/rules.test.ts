import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MONITORING_PAGE, PROMETHEUS_CONFIG, RULES_FOLDER, RUNBOOKS_FOLDER } from '../paths.js';
import { promtool, runbookUrl, testQuiet, testRules } from './promtool.js';
import { type AlertRule, isAlert, type Rule, type RuleFile, readRuleFiles, rulesOf } from './rules.js';
import { SITUATIONS } from './situations.js';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPromtool || process.env['CI'] === 'true' ? false : 'Prometheus is not installed';

const FILES = readRuleFiles();
const ALERTS = rulesOf(FILES).filter(isAlert);
/** Of the operators' list. */
const PROMISED = [
  'AgentDisconnected',
  'CorrelationBufferHigh',
  'CorrelationLatencyHigh',
  'AuditChainBroken',
  'AuditWriteStalled',
  'ProbeOverheadExceeded',
  'CoverageLow',
  'OutboxLag',
];

/** The files with one rule put in place of another, or without it. */
function withRule(alert: string, change: (rule: AlertRule) => AlertRule | null): RuleFile[] {
  const changed = (rule: Rule): Rule[] => {
    if (!isAlert(rule) || rule.alert !== alert) return [rule];
    const other = change(rule);
    return other === null ? [] : [other];
  };
  return FILES.map((file) => ({
    ...file,
    groups: file.groups.map((group) => ({ ...group, rules: group.rules.flatMap(changed) })),
  }));
}

describe('alert rules', { skip }, () => {
  it('are valid, and Prometheus finds them', () => {
    const config = promtool('check', 'config', PROMETHEUS_CONFIG);
    assert.ok(config.passed, config.output);
    assert.match(config.output, new RegExp(`${FILES.length} rule files found`));
    const rules = promtool('check', 'rules', ...FILES.map(({ name }) => join(RULES_FOLDER, name)));
    assert.ok(rules.passed, rules.output);
  });

  it('are quiet where nothing is wrong', () => {
    const { passed, output } = testQuiet(FILES);
    assert.ok(passed, output);
  });

  for (const situation of SITUATIONS)
    it(`${situation.alert}: ${situation.what}`, () => {
      const { passed, output } = testRules(FILES, [situation]);
      assert.ok(passed, output);
    });
});

describe('the tests of a rule fail', { skip }, () => {
  for (const { alert } of ALERTS) {
    const situations = SITUATIONS.filter((situation) => situation.alert === alert);
    it(`without it, or if it always fires, or later: ${alert}`, () => {
      const fails = (files: readonly RuleFile[], what: string): void =>
        assert.ok(!testRules(files, situations).passed, `${alert} ${what} and no test fails`);
      fails(
        withRule(alert, () => null),
        'is gone',
      );
      fails(
        withRule(alert, (rule) => ({ ...rule, expr: `${rule.expr} or vector(1)` })),
        'always fires',
      );
      fails(
        withRule(alert, (rule) => ({ ...rule, for: '1d' })),
        'fires a day later',
      );
      const { for: duration } = ALERTS.find((rule) => rule.alert === alert) as AlertRule;
      if (duration !== undefined)
        fails(
          withRule(alert, ({ for: _, ...rule }) => rule),
          'does not wait',
        );
    });
  }
});

describe('an alert', () => {
  it('is there for each that operators were promised', () => {
    const names = ALERTS.map(({ alert }) => alert);
    assert.deepEqual(
      PROMISED.filter((name) => !names.includes(name)),
      [],
    );
    assert.deepEqual(
      [names.length, SITUATIONS.every(({ alert }) => names.includes(alert))],
      [new Set(names).size, true],
    );
  });

  for (const { alert, annotations } of ALERTS)
    it(`has words for the one whom it wakes, and a page: ${alert}`, () => {
      assert.ok((annotations['summary'] ?? '').length > 20 && (annotations['description'] ?? '').length > 60);
      assert.equal(annotations['runbook_url'], runbookUrl(alert));
      const page = readFileSync(join(RUNBOOKS_FOLDER, `${alert}.md`), 'utf8');
      const headings = [`# ${alert}`, '## How to look', '## Likely causes', '## What to do', '## What not to do'];
      for (const heading of headings)
        assert.ok(`\n${page}`.includes(`\n${heading}\n`), `${alert}.md has no "${heading}"`);
    });

  it('stands in the table of docs/monitoring.md with its severity and how long it waits', () => {
    const text = readFileSync(MONITORING_PAGE, 'utf8');
    const rows = [...text.matchAll(/^\| \[(\w+)\]\(runbooks\/(\w+)\.md\) +\|.*\| (\d+) min +\| (\w+) +\|$/gm)];
    assert.deepEqual(
      rows.map(([, name, page, minutes, severity]) => [name, page, minutes, severity]).sort(),
      ALERTS.map((rule) => [
        rule.alert,
        rule.alert,
        `${Number.parseInt(rule.for ?? '0', 10)}`,
        rule.labels['severity'],
      ]).sort(),
    );
  });

  it('has gone where its page is left over', () => {
    const pages = readdirSync(RUNBOOKS_FOLDER).filter((name) => name !== 'README.md');
    assert.deepEqual(
      pages.filter((page) => !ALERTS.some(({ alert }) => page === `${alert}.md`)),
      [],
    );
  });
});
