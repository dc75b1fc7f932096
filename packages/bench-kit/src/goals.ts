/** One figure of docs/goals.json. Without `max` and `min` it is only reported. */
export interface Goal {
  readonly unit: string;
  readonly what: string;
  /** Where the bound comes from. */
  readonly source: string;
  readonly max?: number;
  readonly min?: number;
}

/** Figures by name. */
export type Goals = Readonly<Record<string, Goal>>;

export type Verdict = 'met' | 'missed' | 'reported' | 'not run' | 'missing' | 'unknown';

/**
 * Judges one figure. `missing`: a goal without a figure that was not declared as not run; `unknown`: a figure that
 * docs/goals.json does not name. Both make the benchmark fail, so that neither side can drift.
 */
export function judge(goal: Goal | undefined, value: number | undefined, declaredNotRun: boolean): Verdict {
  if (goal === undefined) return 'unknown';
  if (value === undefined) return declaredNotRun ? 'not run' : 'missing';
  if (goal.max === undefined && goal.min === undefined) return 'reported';
  const inBounds = value <= (goal.max ?? Number.POSITIVE_INFINITY) && value >= (goal.min ?? Number.NEGATIVE_INFINITY);
  return inBounds ? 'met' : 'missed';
}
