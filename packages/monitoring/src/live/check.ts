import { type Expression, panelExpressions, ruleExpressions, selectorsOf } from '../expressions.js';
import { PrometheusClient } from './prometheus.js';
import { type Quiet, WHILE_HEALTHY } from './quiet.js';

/** Jobs without which nothing can be told. Agents may run elsewhere. */
const NEEDED_JOBS = ['sentinel-correlation-engine', 'sentinel-audit-ledger'];

export interface CheckOptions {
  /** Jobs whose targets may be down, as a stand-in that has no such port. */
  readonly mayBeDown?: readonly string[];
  /** What may have no series, and why. Default: all that has none on a healthy system. */
  readonly quiet?: Quiet;
  /** In place of Grafana's; at least four times Prometheus' interval. Default 1m. */
  readonly rateInterval?: string;
}

/**
 * Whether a running Prometheus has what the provisioned files ask of it: targets that are up, rules that it could evaluate, and series
 * for every rule and every panel.
 * @param base as http://127.0.0.1:9092
 * @returns what is wrong, a sentence each
 */
export async function checkMonitoring(base: string, options: CheckOptions = {}): Promise<string[]> {
  const { mayBeDown = [], quiet = WHILE_HEALTHY, rateInterval = '1m' } = options;
  const prometheus = new PrometheusClient(base);
  const expressions = [...ruleExpressions(), ...panelExpressions(rateInterval)];
  const answers = new Map<string, string | number>();
  /** Number of series, or why it cannot be evaluated. */
  const ask = async (expr: string): Promise<string | number> => {
    const known = answers.get(expr);
    if (known !== undefined) return known;
    const answer = await prometheus.query(expr).then(({ length }) => length, String);
    answers.set(expr, answer);
    return answer;
  };
  return [
    ...(await wrongTargets(prometheus, mayBeDown)),
    ...(await wrongRules(prometheus)),
    ...(await wrongSelectors(expressions, quiet, ask)),
    ...(await wrongExpressions(expressions, quiet, ask)),
  ];
}

type Ask = (expr: string) => Promise<string | number>;

async function wrongTargets(prometheus: PrometheusClient, mayBeDown: readonly string[]): Promise<string[]> {
  const targets = await prometheus.targets();
  const jobs = new Set(targets.map(({ labels }) => labels['job']));
  return [
    ...NEEDED_JOBS.filter((job) => !jobs.has(job)).map((job) => `job ${job} has no target`),
    ...targets
      .filter(({ health, labels }) => health !== 'up' && !mayBeDown.includes(labels['job'] ?? ''))
      .map(({ scrapeUrl, health, lastError }) => `target ${scrapeUrl} is ${health}: ${lastError}`),
  ];
}

async function wrongRules(prometheus: PrometheusClient): Promise<string[]> {
  const loaded = new Map((await prometheus.rules()).map((rule) => [rule.name, rule]));
  return ruleExpressions().flatMap(({ where }) => {
    const rule = loaded.get(where);
    if (rule === undefined) return [`rule ${where} is not loaded`];
    return rule.health === 'ok' ? [] : [`rule ${where} is ${rule.health}: ${rule.lastError ?? ''}`];
  });
}

/** Of alerts too, whose conditions themselves are empty while all is well. */
async function wrongSelectors(expressions: readonly Expression[], quiet: Quiet, ask: Ask): Promise<string[]> {
  const wrong: string[] = [];
  for (const { where, expr } of expressions)
    for (const selector of selectorsOf(expr)) {
      const metric = selector.replace(/\{.*/, '');
      if (!(metric in quiet.metrics) && (await ask(selector)) === 0) wrong.push(`${where}: ${selector} has no series`);
    }
  return wrong;
}

async function wrongExpressions(expressions: readonly Expression[], quiet: Quiet, ask: Ask): Promise<string[]> {
  const wrong: string[] = [];
  for (const { where, kind, expr } of expressions) {
    const answer = await ask(expr);
    if (typeof answer === 'string') wrong.push(`${where}: ${answer}`);
    else if (answer === 0 && kind !== 'alert' && !(where in quiet.expressions))
      wrong.push(`${where}: ${expr} is empty`);
  }
  return wrong;
}
