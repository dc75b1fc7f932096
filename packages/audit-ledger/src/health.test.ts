import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Ledger } from './commit/ledger.js';
import { healthOf } from './health.js';
import { Condition } from './verification/condition.js';

it('says that the clock is behind the log, which is no reason to replace the ledger', () => {
  const ledger = { checkpoint: { size: 7 } } as Ledger;
  const of = (aheadSeconds: number) => healthOf(ledger, new Condition(undefined), aheadSeconds);
  assert.deepEqual([of(0).healthy, of(59).report['clock']], [true, null]);
  assert.equal(of(3600).healthy, true);
  assert.match(String(of(3600).report['clock']), /3600 s behind the newest entry.*set it right/);
});
