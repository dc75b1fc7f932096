/**
 * The odds that a defect has started, one for each failure probability theta of the grid, as natural logarithms: the odds
 * themselves leave the range of a double after some forty failures. Index j of every array belongs to `thetas[j]`.
 * All times are hours, all rates per hour. No function here returns NaN or an infinity for finite input.
 */
export interface Onset {
  /** New defects per hour, over all theta together; >= 0. */
  readonly perHour: number;
  /** Odds that there was a defect from the start, over all theta together; > 0. */
  readonly start: number;
}

/** Beyond this nothing is distinguished: log odds stay finite whatever is reported. */
const LIMIT = 1e15;
/** Odds as a number are capped here: e^575 is far from overflow, and no decision needs more. */
export const MAX_LN_ODDS = 575;

/**
 * Clean executions, spread evenly over `hours`. `count` = how many, each already weighted by how comparable it is to the
 * failures (attribution calls that kappa).
 */
export function afterPasses(
  lnOdds: readonly number[],
  thetas: readonly number[],
  onset: Onset,
  count: number,
  hours: number,
): number[] {
  return lnOdds.map((ln, j) => {
    const a = bounded((thetas[j] ?? 0) * Math.max(0, count));
    const started = lnPositive((onset.perHour / thetas.length) * Math.max(0, hours)) + lnMeanSurvival(a);
    return bounded(lnSum(ln - a, started));
  });
}

/** A report of `count` executions of which `failures` (>= 1) failed, at a healthy failure rate of `lambda` per execution. */
export function afterFailures(
  lnOdds: readonly number[],
  thetas: readonly number[],
  lambda: number,
  failures: number,
  count: number,
): number[] {
  return withReport(lnOdds, reportRatios(thetas, lambda, failures, count));
}

/** What a report adds for each theta: of its failures, and of its passes. Worth keeping where many reports are alike. */
export type ReportRatios = readonly (readonly [failed: number, passed: number])[];

export function reportRatios(thetas: readonly number[], lambda: number, failures: number, count: number): ReportRatios {
  return thetas.map((theta) => {
    const failed = failures * Math.log(theta / lambda);
    const passed = (count - failures) * (Math.log1p(-theta) - Math.log1p(-lambda));
    return [bounded(failed), bounded(passed)];
  });
}

export function withReport(lnOdds: readonly number[], ratios: ReportRatios): number[] {
  return lnOdds.map((ln, j) => {
    const [failed, passed] = ratios[j] ?? [0, 0];
    return bounded(ln + failed + passed);
  });
}

/** What is known of something that ran `count` times in `hours` and never failed: no memory of it is needed. */
export function neverFailed(thetas: readonly number[], onset: Onset, count: number, hours: number): number[] {
  const share = 1 / thetas.length;
  const age = Math.max(0, hours);
  return thetas.map((theta) => {
    const seen = bounded(theta * Math.max(0, count));
    const recent = onset.perHour * share * age * (seen > 1 ? 1 / seen : 1);
    return bounded(lnSum(lnPositive(recent), lnPositive(onset.start * share) - seen));
  });
}

/** ln(sum of the odds). */
export function lnTotal(lnOdds: readonly number[]): number {
  const top = Math.max(-LIMIT, ...lnOdds);
  let sum = 0;
  for (const ln of lnOdds) sum += Math.exp(ln - top);
  return bounded(top + Math.log(sum));
}

/** Finite: capped at e^575. */
export function oddsOf(ln: number): number {
  return Math.exp(Math.min(ln, MAX_LN_ODDS));
}

export function probabilityOf(odds: number): number {
  return odds / (1 + odds);
}

/** Share of each theta in the whole; sums to 1. */
export function sharesOf(lnOdds: readonly number[]): number[] {
  const total = lnTotal(lnOdds);
  return lnOdds.map((ln) => Math.exp(ln - total));
}

/** ln((1 - e^-a) / a): what remains on average of defects that started evenly over the time in which the passes were taken. */
function lnMeanSurvival(a: number): number {
  if (a < 1e-8) return -a / 2;
  return Math.log(-Math.expm1(-a)) - Math.log(a);
}

function lnSum(a: number, b: number): number {
  const top = Math.max(a, b);
  return top + Math.log1p(Math.exp(Math.min(a, b) - top));
}

function lnPositive(x: number): number {
  return x > 0 ? Math.log(x) : -LIMIT;
}

function bounded(x: number): number {
  return Math.max(-LIMIT, Math.min(LIMIT, x));
}
