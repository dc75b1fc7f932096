import type { CoreConfig } from './model/settings.js';

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

export interface BetaPrior {
  readonly alpha: number;
  readonly beta: number;
}

/**
 * `odds` >= 0 that the device has a defect; `sweeps` >= 0 tests seen lately, which scales alpha and beta alike and so moves
 * how narrow the distribution is, not the score.
 */
export function displayedScore(odds: number, prior: BetaPrior, sweeps = 0): DisplayedScore {
  const effectiveBeta = 1 + BETA_PER_DOUBLING * Math.log2(1 + odds);
  const scale = 1 + Math.min(sweeps, MAX_SWEEPS) / SWEEPS_PER_UNIT;
  const alpha = prior.alpha * scale;
  const beta = scale * (prior.beta - 1 + effectiveBeta);
  return { alpha, beta, score: alpha / (alpha + beta) };
}

/** The odds at which the displayed score is `score`: the inverse of the map above; 0 for scores that no evidence is needed for. */
export function oddsAtScore(score: number, prior: BetaPrior): number {
  const doublings = (prior.alpha / score - prior.alpha - prior.beta) / BETA_PER_DOUBLING;
  return Math.min(Number.MAX_VALUE, Math.max(0, 2 ** doublings - 1));
}

/** Operators set thresholds of the score; decisions compare odds. */
export interface ThresholdOdds {
  /** From here on a device is SUSPECT. */
  suspect: number;
  /** From here on a quarantine is asked for: never below `attribution.quarantine_odds`, whatever the score's threshold. */
  quarantine: number;
  /** Below this it may leave quarantine. */
  healthy: number;
}

export function thresholdOdds(config: CoreConfig): ThresholdOdds {
  const prior = { alpha: config.priorAlpha, beta: config.priorBeta };
  const { suspect, quarantine, healthy } = config.thresholds;
  return {
    suspect: oddsAtScore(suspect, prior),
    quarantine: Math.max(config.attribution.quarantine_odds, oddsAtScore(quarantine, prior)),
    healthy: oddsAtScore(healthy, prior),
  };
}
