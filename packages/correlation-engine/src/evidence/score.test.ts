import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayedScore, oddsAtScore, thresholdOdds } from './score.js';
import { CONFIG } from './testing/config.js';

const PRIOR = { alpha: 100, beta: 1 };
const scoreAt = (p: number) => displayedScore(p / (1 - p), PRIOR).score;

test('without evidence the score is 0.990', () => {
  assert.equal(displayedScore(0, PRIOR).score.toFixed(3), '0.990');
});

test('the thresholds of operators keep their meaning: 0.95 is P = 0.41 and 0.80 is P = 0.95', () => {
  assert.ok(scoreAt(0.4) > 0.95 && scoreAt(0.42) < 0.95);
  assert.ok(scoreAt(0.94) > 0.8 && scoreAt(0.951) < 0.8);
});

test('thresholds of the score act through the odds that they stand for', () => {
  for (const score of [0.99, 0.95, 0.8, 0.5, 0.2]) {
    const odds = oddsAtScore(score, PRIOR);
    assert.ok(Math.abs(displayedScore(odds, PRIOR).score - score) < 1e-9, String(score));
  }
  const { suspect, quarantine, healthy } = thresholdOdds(CONFIG);
  assert.deepEqual([suspect.toFixed(2), quarantine.toFixed(2), healthy.toFixed(2)], ['0.70', '19.00', '0.14']);
});

test('no threshold of the score asks for a quarantine below odds of 19, and all are finite', () => {
  for (const quarantine of [0, 0.5, 0.95, 1]) {
    const odds = thresholdOdds({ ...CONFIG, thresholds: { ...CONFIG.thresholds, quarantine } });
    assert.ok(odds.quarantine >= 19 && Number.isFinite(odds.quarantine), String(quarantine));
  }
  assert.ok(thresholdOdds({ ...CONFIG, thresholds: { ...CONFIG.thresholds, quarantine: 0.5 } }).quarantine > 1000);
});

test('tests seen scale alpha and beta alike, up to 10,000', () => {
  const few = displayedScore(19, PRIOR, 0);
  const many = displayedScore(19, PRIOR, 10_000);
  assert.ok(Math.abs(few.score - many.score) < 1e-12);
  assert.equal(many.alpha, few.alpha * 101);
  assert.deepEqual(displayedScore(19, PRIOR, 1e9), many);
});
