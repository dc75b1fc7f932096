import type { BenchOutcome } from './bench.js';
import { type Goal, type Goals, judge, type Verdict } from './goals.js';

export interface Row {
  readonly name: string;
  readonly value: number | undefined;
  readonly goal: Goal | undefined;
  readonly verdict: Verdict;
}

/** The one JSON line that ends a run. */
export interface Summary {
  readonly bench: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: Readonly<Record<string, { max?: number; min?: number; verdict: Verdict }>>;
  readonly not_run: readonly string[];
  readonly ok: boolean;
}

const BAD: ReadonlySet<Verdict> = new Set(['missed', 'missing', 'unknown']);

export function report(name: string, outcome: BenchOutcome, goals: Goals): { rows: Row[]; summary: Summary } {
  const rows = rowsOf(outcome, goals);
  const bounded = rows.flatMap(({ name: figure, goal, verdict }) =>
    goal === undefined ? [] : [[figure, { ...bounds(goal), verdict }] as const],
  );
  const summary = {
    bench: name,
    figures: outcome.figures,
    goals: Object.fromEntries(bounded),
    not_run: rows.filter((row) => row.verdict === 'not run').map((row) => row.name),
    ok: !rows.some((row) => BAD.has(row.verdict)),
  };
  return { rows, summary };
}

function rowsOf({ figures, notRun = [] }: BenchOutcome, goals: Goals): Row[] {
  const names = new Set([...Object.keys(goals), ...Object.keys(figures), ...notRun]);
  return [...names].map((name) => {
    const goal = Object.hasOwn(goals, name) ? goals[name] : undefined;
    const value = Object.hasOwn(figures, name) ? figures[name] : undefined;
    return { name, value, goal, verdict: judge(goal, value, notRun.includes(name)) };
  });
}

function bounds(goal: Goal): { max?: number; min?: number } {
  return { ...(goal.max !== undefined && { max: goal.max }), ...(goal.min !== undefined && { min: goal.min }) };
}

/** The rows as aligned columns. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['figure', 'value', 'unit', 'goal', 'verdict'],
    ...rows.map(({ name, value, goal, verdict }) => [name, format(value), goal?.unit ?? '', goalText(goal), verdict]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function format(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return '';
  const parts = [];
  if (goal.min !== undefined) parts.push(`>= ${goal.min}`);
  if (goal.max !== undefined) parts.push(`<= ${goal.max}`);
  return parts.join(', ');
}
