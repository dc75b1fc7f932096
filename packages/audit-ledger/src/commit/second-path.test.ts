import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf } from '../testing/ledgers.js';
import { buildBatch, EMPTY_CHAIN } from './build.js';
import { DivergenceError } from './divergence.js';
import { inPlace, SecondPathLostError, SecondPathThread } from './second-path.js';
import { Sequencer } from './sequencer.js';

const SHADOW = { size: 0, chainHead: Buffer.alloc(32), receivedUs: 0, subtrees: [] };
const INPUT = {
  commit: 0,
  epoch: 1,
  batchId: Buffer.alloc(16),
  drafts: Array.from({ length: 300 }, (_, n) => draftOf(n)),
  nowUs: 5,
  salts: Buffer.alloc(16 * 300, 7),
};

describe('the second path in a thread', () => {
  it('gives what it gives in place, batch after batch', async () => {
    const thread = new SecondPathThread(0);
    const [here, there] = [inPlace, thread.recompute].map((path) => new Sequencer(EMPTY_CHAIN, SHADOW, path));
    for (let commit = 0; commit < 3; commit += 1) {
      const input = { ...INPUT, commit };
      const expected = await here?.propose(input);
      const found = await there?.propose(input);
      assert.ok(expected !== undefined && found !== undefined);
      assert.deepEqual(found.root, expected.root);
      here?.accept(expected);
      there?.accept(found);
    }
    await thread.close();
  });

  it('refuses what is not as it was encoded', async () => {
    const thread = new SecondPathThread(0);
    const faulty = new Sequencer(EMPTY_CHAIN, SHADOW, thread.recompute, (before, input) => {
      const batch = buildBatch(before, input);
      batch.details[100] = (batch.details[100] ?? 0) ^ 1;
      return batch;
    });
    await assert.rejects(faulty.propose(INPUT), DivergenceError);
    await thread.close();
  });

  it('that is gone ends the writer without a word about wrong answers', async () => {
    const thread = new SecondPathThread(0);
    const events = recordedEvents();
    const { ledger, close } = await openTestLedger(freshFolder(), { events, secondPath: thread.recompute });
    const ingesting = ledger.ingest(requestOf(INPUT.drafts));
    await Promise.all([assert.rejects(ingesting, SecondPathLostError), thread.close()]);
    assert.deepEqual(events.refusals, []);
    assert.equal(events.fatals.length, 1);
    await assert.rejects(ledger.ingest(requestOf([draftOf(1)])), /stopping/);
    await close();
  });
});
