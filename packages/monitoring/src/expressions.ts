/** Every expression that Prometheus is asked, by the provisioned files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS_FOLDER } from './paths.js';
import { isAlert, readRuleFiles, rulesOf } from './rules/rules.js';

export interface Expression {
  /** Name of the rule, or file and title of the panel. */
  readonly where: string;
  readonly kind: 'alert' | 'record' | 'panel';
  /** Without variables of Grafana. */
  readonly expr: string;
}

interface DashboardFile {
  readonly panels: readonly { readonly title?: string; readonly targets?: readonly { readonly expr: string }[] }[];
}

export function ruleExpressions(): Expression[] {
  return rulesOf(readRuleFiles()).map((rule) =>
    isAlert(rule)
      ? { where: rule.alert, kind: 'alert', expr: rule.expr }
      : { where: rule.record, kind: 'record', expr: rule.expr },
  );
}

/** @param rateInterval in place of Grafana's, at least four times as long as Prometheus waits between scrapes */
export function panelExpressions(rateInterval: string): Expression[] {
  const files = readdirSync(DASHBOARDS_FOLDER).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(DASHBOARDS_FOLDER, file), 'utf8')) as DashboardFile;
    return panels.flatMap(({ title = '', targets = [] }) =>
      targets.map(({ expr }) => ({
        where: `${file.replace('.json', '')}: ${title}`,
        kind: 'panel' as const,
        expr: withoutVariables(expr, rateInterval),
      })),
    );
  });
}

/** Where each variable stands for all of its values. */
function withoutVariables(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$\w+/g, '.*');
}

/** The series that an expression reads: metric and its labels, each once. */
export function selectorsOf(expr: string): string[] {
  const found = expr.matchAll(/\b(?:sentinel[_:][\w:]+|process_\w+|nodejs_\w+|ALERTS|up)\b(?:\{[^}]*\})?/g);
  return [...new Set([...found].map(([selector]) => selector))];
}
