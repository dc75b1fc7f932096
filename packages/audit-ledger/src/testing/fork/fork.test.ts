/** A slice of the bench `ledger-fork`, and the mutant that it must find out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TEST_KEY } from '../ledgers.js';
import { emptyTally, runSchedule, type Tally } from './schedule.js';
import { SHARED_STORES } from './shared-stores.js';

const SCHEDULES = 12;

async function run(kind: keyof typeof SHARED_STORES, signsFirst: boolean, schedules = SCHEDULES): Promise<Tally> {
  const tally = emptyTally();
  for (let seed = 0; seed < schedules; seed += 1)
    await runSchedule({ seed, key: TEST_KEY, makeStore: SHARED_STORES[kind], signsFirst }, tally);
  return tally;
}

for (const kind of ['file', 'scylla'] as const) {
  describe(`two writers over one store, ${kind}`, () => {
    it('sign no two checkpoints that contradict each other, whatever happens to them', async () => {
      const tally = await run(kind, false);
      assert.equal(tally.inconsistent, 0);
      assert.equal(tally.unexplained, 0);
      assert.ok(tally.commits > 5 * SCHEDULES && tally.continued > SCHEDULES && tally.stale > 0);
    });

    it('are found out when they sign before the compare-and-swap', async () => {
      assert.ok((await run(kind, true)).inconsistent > 0);
    });

    it('do the same again for the same seed', async () => {
      assert.deepEqual(await run(kind, false, 3), await run(kind, false, 3));
    });
  });
}
