import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNCONFIRMED_ODDS, UNLOCATED_ODDS } from './decision.js';
import { displayedScore } from './score.js';

const PRIOR = { alpha: 100, beta: 1 };
const scoreAt = (p: number) => displayedScore(p / (1 - p), PRIOR).score;

test('without evidence the score is 0.990', () => {
  assert.equal(displayedScore(0, PRIOR).score.toFixed(3), '0.990');
});

test('the thresholds of operators keep their meaning: 0.95 is P = 0.41 and 0.80 is P = 0.95', () => {
  assert.ok(scoreAt(0.4) > 0.95 && scoreAt(0.42) < 0.95);
  assert.ok(scoreAt(0.94) > 0.8 && scoreAt(0.951) < 0.8);
});

test('a suspicion shows below 0.95 and above 0.80, whether it could be located or not', () => {
  for (const odds of [UNLOCATED_ODDS, UNCONFIRMED_ODDS]) {
    const { score } = displayedScore(odds, PRIOR);
    assert.ok(score < 0.95 && score > 0.8, String(score));
  }
});

test('tests seen scale alpha and beta alike, up to 10,000', () => {
  const few = displayedScore(19, PRIOR, 0);
  const many = displayedScore(19, PRIOR, 10_000);
  assert.ok(Math.abs(few.score - many.score) < 1e-12);
  assert.equal(many.alpha, few.alpha * 101);
  assert.deepEqual(displayedScore(19, PRIOR, 1e9), many);
});
