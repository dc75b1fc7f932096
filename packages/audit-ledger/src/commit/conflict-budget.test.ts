import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConflictBudget, MAX_CONFLICTS_PER_HOUR } from './conflict-budget.js';

it('records so many an hour, and then says how many it did not', () => {
  const budget = new ConflictBudget();
  const at = (hour: number): number => hour * 3_600e6;
  for (let k = 0; k < MAX_CONFLICTS_PER_HOUR; k += 1) assert.equal(budget.take(at(5)), 0);
  for (let k = 0; k < 300; k += 1) assert.equal(budget.take(at(5.9)), undefined);
  assert.equal(budget.take(at(6)), 300);
  assert.equal(budget.take(at(6)), 0);
});
