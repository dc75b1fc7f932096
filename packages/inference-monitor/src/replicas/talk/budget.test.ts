import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuestionBudget, SHARE_OF_REQUESTS } from './budget.js';

const MINUTE_MS = 60_000;

function taken(budget: QuestionBudget, nowMs: number): number {
  for (let count = 0; ; count += 1) if (!budget.take(1, nowMs)) return count;
}

test('twenty questions a minute whatever the traffic, and a share of the requests on top', () => {
  const budget = new QuestionBudget(60, 0);
  taken(budget, 0);
  assert.equal(taken(budget, MINUTE_MS), 20);
  budget.served(200);
  assert.equal(taken(budget, MINUTE_MS), 200 * SHARE_OF_REQUESTS);
  assert.equal(budget.refused, 3);
});

test('a quiet day is no reason to ask much at once; an hour between canaries none to ask less than a minute allows', () => {
  const budget = new QuestionBudget(3600, 0);
  budget.served(1e9);
  assert.equal(taken(budget, 1e9), 60);
  assert.equal(taken(budget, 1e9 + MINUTE_MS), 20);
  assert.equal(budget.take(21, 1e9 + 2 * MINUTE_MS), false);
});
