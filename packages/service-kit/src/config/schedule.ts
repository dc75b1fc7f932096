import { resolve } from 'node:path';
import { readText } from './file-source.js';
import { choice, type Format, flag, integer, real, text } from './formats.js';
import { ProblemList } from './problems.js';
import { deepFreeze } from './resolve.js';
import { YamlFile } from './yaml-source.js';
import { readValues } from './yaml-values.js';

/** Families of each probe type. An agent runs those that its backend has; a type with none of them is reported as not run. */
const FAMILIES = {
  FMA: ['fma32', 'fma64', 'fma16', 'bf16', 'cpu_bf16'],
  TENSOR_CORE: ['tc_fp16', 'tc_bf16', 'tc_tf32', 'tc_fp8', 'tc_int8', 'tc_fp64'],
  TRANSCENDENTAL: ['sfu', 'cpu_libm'],
  AES: ['int_aes'],
  MEMORY: ['hbm', 'l2', 'copy', 'cpu_mem'],
  REGISTER_FILE: ['regfile', 'cpu_reg'],
  SHARED_MEMORY: ['smem'],
} as const;

export type ProbeType = keyof typeof FAMILIES;

export const PROBE_TYPES = Object.keys(FAMILIES) as readonly ProbeType[];

/** Names of all families. */
export function probeFamilies(): readonly string[] {
  return Object.values(FAMILIES).flat();
}

export interface ScheduleEntry {
  readonly type: ProbeType;
  /** All of them run each period. */
  readonly families: readonly string[];
  readonly periodSeconds: number;
  /** Fraction of the SMs that each period covers; the rest follow in the next periods. */
  readonly smCoverage: number;
  /** 1 = the last to be put off when the budget is used up, 10 = the first. */
  readonly priority: number;
  readonly enabled: boolean;
  /** A run that takes longer ends as TIMEOUT. */
  readonly timeoutMs: number;
  /** Line in the file. */
  readonly line: number;
}

export interface Schedule {
  readonly file: string;
  readonly name: string;
  /** Cap of this schedule, percent, in place of probe_agent.overhead_budget_pct. */
  readonly overheadBudgetPct?: number;
  readonly entries: readonly ScheduleEntry[];
}

/** A schedule may ask for more than the global cap, but never for more than this. */
const MAX_OWN_BUDGET_PCT = 5;

const TOP = {
  name: text({ expects: 'a name of letters, digits, "_" or "-"', pattern: /^[A-Za-z0-9_-]{1,64}$/ }),
  description: text(),
  overhead_budget_pct: real(0.01, MAX_OWN_BUDGET_PCT),
} as const satisfies Record<string, Format<unknown>>;

const ENTRY = {
  type: choice(...PROBE_TYPES),
  period_seconds: real(1, 86_400),
  sm_coverage: real(0.001, 1),
  priority: integer(1, 10),
  enabled: flag,
  timeout_ms: integer(1, 600_000),
} as const satisfies Record<string, Format<unknown>>;

const ENTRY_KEYS = { formats: ENTRY, prefix: 'probes.', required: ['type', 'period_seconds'], also: [] };

const OPTIONAL_IN_ENTRY = { enabled: true, sm_coverage: 1, priority: 5, timeout_ms: 5000 } as const;

/**
 * Reads a probe schedule strictly.
 *
 * @throws ConfigError listing everything that is wrong, with file and line
 */
export function loadSchedule(file: string, cwd: string = process.cwd()): Schedule {
  const problems = new ProblemList();
  const content = readText(resolve(cwd, file), file, problems);
  const schedule = content === undefined ? undefined : readSchedule(file, content, problems);
  return finished(file, schedule, problems);
}

/**
 * The same for the text of a schedule that came another way; `name` stands for the file in what is said about it.
 *
 * @throws ConfigError
 */
export function parseSchedule(name: string, content: string): Schedule {
  const problems = new ProblemList();
  const schedule = readSchedule(name, content, problems);
  return finished(name, schedule, problems);
}

function finished(file: string, schedule: Schedule | undefined, problems: ProblemList): Schedule {
  problems.throwIfAny();
  if (schedule === undefined) throw new Error(`${file}: no schedule and no problem`);
  return deepFreeze(schedule);
}

function readSchedule(file: string, content: string, problems: ProblemList): Schedule | undefined {
  const yaml = new YamlFile(file, content, problems);
  if (!yaml.valid) return undefined;
  const top = yaml.entries(yaml.root, undefined, 'error');
  const list = top.find(({ name }) => name === 'probes');
  const rest = top.filter((entry) => entry !== list);
  const values = readValues(
    yaml,
    rest,
    { formats: TOP, prefix: '', required: ['name'], also: ['probes'] },
    1,
    problems,
  );
  const items = list === undefined ? undefined : yaml.items(list.value);
  if (items === undefined || items.length === 0) {
    yaml.report('error', list?.line ?? 1, 'probes', 'expected a list of at least one probe');
  }
  const entries = (items ?? []).map((item) => {
    const line = yaml.lineOf(item);
    const fields = yaml.entries(item, 'probes', 'error');
    return entryOf(readValues(yaml, fields, ENTRY_KEYS, line, problems), line);
  });
  reportRepeated(yaml, entries);
  const { name = '', overhead_budget_pct: cap } = values as { name?: string; overhead_budget_pct?: number };
  return { file, name, ...(cap === undefined ? {} : { overheadBudgetPct: cap }), entries };
}

function entryOf(values: Readonly<Record<string, unknown>>, line: number): ScheduleEntry {
  const given = { ...OPTIONAL_IN_ENTRY, ...values } as unknown as {
    type: ProbeType;
    period_seconds: number;
    sm_coverage: number;
    priority: number;
    enabled: boolean;
    timeout_ms: number;
  };
  return {
    type: given.type,
    families: FAMILIES[given.type] ?? [],
    periodSeconds: given.period_seconds,
    smCoverage: given.sm_coverage,
    priority: given.priority,
    enabled: given.enabled,
    timeoutMs: given.timeout_ms,
    line,
  };
}

function reportRepeated(yaml: YamlFile, entries: readonly ScheduleEntry[]): void {
  for (const [index, { type, line }] of entries.entries()) {
    const first = entries.findIndex((other) => other.type === type);
    if (type !== undefined && first < index) {
      yaml.report('error', line, 'probes.type', `${type} is listed twice, first in line ${entries[first]?.line ?? 0}`);
    }
  }
}
