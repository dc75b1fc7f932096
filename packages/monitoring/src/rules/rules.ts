import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { RULES_FOLDER } from '../paths.js';

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** As Prometheus writes durations; absent = at once. */
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export type Rule = RecordingRule | AlertRule;

export interface RuleFile {
  /** Of the file alone. */
  readonly name: string;
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export function isAlert(rule: Rule): rule is AlertRule {
  return 'alert' in rule;
}

/** The provisioned files, in the order of their names. */
export function readRuleFiles(folder = RULES_FOLDER): RuleFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.rules.yaml'));
  return names
    .sort()
    .map((name) => ({ name, ...(parse(readFileSync(join(folder, name), 'utf8')) as Omit<RuleFile, 'name'>) }));
}

export function rulesOf(files: readonly RuleFile[]): Rule[] {
  return files.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));
}
