import { fileURLToPath } from 'node:url';
import { ConfigError, type CorrelationEngineConfig, loadConfig } from '@sentinel/service-kit/config';
import type { ConfigProblem } from '@sentinel/service-kit/config/problems';
import type { Scenario } from './scenario.js';

const SECTION = 'correlation_engine';
const DEFAULT_CONFIG = fileURLToPath(new URL('../../../../config/sentinel.default.yaml', import.meta.url));

/** A simulation opens no port, so it needs none (and --insecure is no risk). */
const NO_CERTIFICATES = { 'tls.enabled': false };

/** Simulated agents execute no canaries: none are ordered. */
const NO_CANARIES = { 'tmr.enabled': false };

/** Settings, and groups of settings, that decisions depend on: all that a simulation has of an engine. */
export const DECIDING: readonly string[] = [
  'attribution',
  'bayesian_model',
  'cohort_manifest',
  'correlation',
  'gates',
  'mode',
  'state_machine',
  'tmr',
  'trust_graph',
];

/** The defaults of the engine in enforce mode, and what the scenario changes about them. @throws ConfigError, UsageError */
export function engineSettings(changed: Scenario['engine']): CorrelationEngineConfig {
  const changes = Object.entries({ mode: 'enforce', ...NO_CERTIFICATES, ...NO_CANARIES, ...changed });
  const overrides = changes.flatMap(([key, value]) => ['--override', `${key}=${value}`]);
  const argv = ['--config', DEFAULT_CONFIG, '--insecure', ...overrides];
  return loadConfig({ section: SECTION, argv, env: {} }).config;
}

/** What is wrong with the settings of a scenario; `key` is that of the scenario, null = of none of them alone. */
export interface SettingProblem {
  readonly key: string | null;
  readonly reason: string;
}

export function settingProblems(changed: Scenario['engine']): SettingProblem[] {
  const keys = Object.keys(changed);
  const idle = keys.filter((key) => isKnown(key) && !DECIDING.includes(groupOf(key)));
  const reason = `does nothing in a simulation, which has the decisions of an engine alone: ${DECIDING.join(', ')}`;
  const judged = Object.fromEntries(Object.entries(changed).filter(([key]) => !idle.includes(key)));
  return [...idle.map((key) => ({ key, reason })), ...problemsOf(judged)];
}

/** A key that exists is wrong at most in its value. */
function isKnown(key: string): boolean {
  return !problemsOf({ [key]: '' }).some(({ reason }) => reason.startsWith('unknown key'));
}

function groupOf(key: string): string {
  return key.split('.', 1)[0] ?? '';
}

function problemsOf(changed: Scenario['engine']): SettingProblem[] {
  try {
    engineSettings(changed);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(toSetting);
  }
}

function toSetting({ origin, key, reason, nearest }: ConfigProblem): SettingProblem {
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const own = origin?.kind === 'override' ? origin.key : null;
  const place = own === null && key !== undefined ? `${key} ` : '';
  return { key: own, reason: `${place}${reason}${hint}` };
}
