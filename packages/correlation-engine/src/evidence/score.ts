/** The displayed reliability: a Beta distribution made from the odds, for people; it decides nothing. */
export interface DisplayedScore {
  alpha: number;
  beta: number;
  /** alpha / (alpha + beta), in (0, 1]: 0.990 at odds 0 and the default prior (100, 1), below 0.80 from odds 20 on. */
  score: number;
}

const BETA_PER_DOUBLING = 5.553;
const MAX_SWEEPS = 10_000;
const SWEEPS_PER_UNIT = 100;

/**
 * `odds` >= 0 that the device has a defect; `sweeps` >= 0 tests seen lately, which scales alpha and beta alike and so moves
 * how narrow the distribution is, not the score.
 */
export function displayedScore(odds: number, prior: { alpha: number; beta: number }, sweeps = 0): DisplayedScore {
  const effectiveBeta = 1 + BETA_PER_DOUBLING * Math.log2(1 + odds);
  const scale = 1 + Math.min(sweeps, MAX_SWEEPS) / SWEEPS_PER_UNIT;
  const alpha = prior.alpha * scale;
  const beta = scale * (prior.beta - 1 + effectiveBeta);
  return { alpha, beta, score: alpha / (alpha + beta) };
}
