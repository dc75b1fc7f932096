import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AlertRule, isAlert, type Rule, type RuleFile, rulesOf } from './rules.js';
import { HEALTHY } from './situations/healthy.js';
import type { Situation } from './situations/situation.js';

export interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

/** Where a page about an alert is found. */
export function runbookUrl(alert: string): string {
  return `https://github.com/sentinel-sdc/sentinel/blob/main/docs/runbooks/${alert}.md`;
}

export function promtool(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { passed: status === 0, output: stdout + stderr };
}

/** Whether rules do in these situations what is said there. */
export function testRules(files: readonly RuleFile[], situations: readonly Situation[]): Outcome {
  const tests = situations.map((situation) => testOf(situation, files));
  const alerts = new Set(situations.map(({ alert }) => alert));
  // The others would only take time.
  const concerned = (rule: Rule): boolean => !isAlert(rule) || alerts.has(rule.alert);
  const needed = files.map(({ name, groups }) => ({
    name,
    groups: groups.map((group) => ({ ...group, rules: group.rules.filter(concerned) })),
  }));
  return runTests(needed, tests);
}

/** Whether no alert fires where nothing is wrong. */
export function testQuiet(files: readonly RuleFile[]): Outcome {
  const alerts = rulesOf(files).filter(isAlert);
  const times = [2, 60, 120, 179];
  const expected = alerts.flatMap(({ alert }) => times.map((at) => ({ eval_time: `${at}m`, alertname: alert })));
  return runTests(files, [{ interval: '1m', input_series: seriesOf(HEALTHY), alert_rule_test: expected }]);
}

function testOf(situation: Situation, files: readonly RuleFile[]): object {
  const { alert, what, series, quietAt, firesAt, labels, severity, summary } = situation;
  const rule = rulesOf(files).find(
    (candidate): candidate is AlertRule => isAlert(candidate) && candidate.alert === alert,
  );
  const text = situation.description ?? rule?.annotations['description'] ?? '';
  const description = text.replaceAll(/{{ \$labels\.(\w+) }}/g, (_, label: string) => labels[label] ?? '');
  const firing = {
    exp_labels: { severity, ...labels },
    exp_annotations: { summary, description, runbook_url: runbookUrl(alert) },
  };
  return {
    name: `${alert}: ${what}`,
    interval: '1m',
    input_series: seriesOf(series),
    alert_rule_test: [
      ...quietAt.map((at) => ({ eval_time: `${at}m`, alertname: alert })),
      { eval_time: `${firesAt}m`, alertname: alert, exp_alerts: [firing] },
    ],
  };
}

function seriesOf(series: Readonly<Record<string, string>>): object[] {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }));
}

function runTests(files: readonly RuleFile[], tests: readonly object[]): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-rules-'));
  try {
    // JSON is YAML.
    for (const { name, groups } of files) writeFileSync(join(folder, name), JSON.stringify({ groups }));
    const file = join(folder, 'tests.json');
    writeFileSync(
      file,
      JSON.stringify({ rule_files: files.map(({ name }) => name), evaluation_interval: '1m', tests }),
    );
    return promtool('test', 'rules', file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
