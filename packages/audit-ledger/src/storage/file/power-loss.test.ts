import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryDisk } from '../../testing/fork/memory-disk.js';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf } from '../../testing/ledgers.js';
import { ackBeforeSync, cutPower } from '../../testing/power-cuts.js';
import { PowerLossDisk } from '../../testing/power-loss-disk.js';
import { RollbackError, UnknownOutcomeError } from '../errors.js';

describe('power loss', () => {
  it('costs nothing that was acknowledged', async () => {
    for (const acks of [1, 7, 40]) {
      const { acked, found } = await cutPower(new PowerLossDisk(), acks);
      assert.ok(found >= acked, `${found} entries of ${acked}`);
    }
  });

  it('costs acknowledged entries of a writer that acknowledges before its data is synced', async () => {
    const outcome = await cutPower(ackBeforeSync(), 20).then(
      ({ acked, found }) => (found < acked ? 'lost' : 'kept'),
      (error: unknown) => String(error),
    );
    assert.match(outcome, /^lost$|is damaged at byte/, 'the mutant was not found out');
  });

  it('leaves what a start was refused by', async () => {
    const memory = new MemoryDisk();
    const disk = memory.view({ turn: () => Promise.resolve('done') });
    const open = () => openTestLedger('/store/ledger', { disk });
    const first = await open();
    await first.close();
    const putBack = memory.copy('/store/ledger');
    const second = await open();
    await second.ledger.ingest(requestOf([draftOf(1)]));
    await second.close();
    putBack();
    await assert.rejects(open(), RollbackError);
    memory.powerCut();
    await assert.rejects(open(), RollbackError);
  });
});

describe('a disk that fails', () => {
  const failing = ['write', 'sync', 'link', 'syncDirectory'] as const;
  for (const operation of failing) {
    it(`at ${operation}: no acknowledgement, the writer ends, a restart has everything acknowledged once`, async () => {
      const folder = freshFolder();
      const disk = new PowerLossDisk();
      const events = recordedEvents();
      const { ledger, store } = await openTestLedger(folder, { disk, events });
      const drafts = Array.from({ length: 5 }, (_, n) => draftOf(n));
      await ledger.ingest(requestOf(drafts.slice(0, 3)));
      disk.before = (now, path) => {
        if (now === operation && !/commits|hashes|index|checkpoint|guard/.test(path))
          throw Object.assign(new Error('injected'), { code: 'EIO' });
      };
      await assert.rejects(ledger.ingest(requestOf(drafts.slice(3))), UnknownOutcomeError);
      assert.equal(events.fatals.length, 1);
      disk.before = () => undefined;
      await store.close();
      const again = await openTestLedger(folder);
      const { seqs } = await again.ledger.ingest(requestOf(drafts));
      assert.deepEqual(seqs, [1, 2, 3, 4, 5]);
      assert.equal(again.ledger.checkpoint.size, 6);
      await again.close();
    });
  }

  it('that is full: UNAVAILABLE, nothing kept, and it goes on when there is room again', async () => {
    const disk = new PowerLossDisk();
    const events = recordedEvents();
    const { ledger, close } = await openTestLedger(freshFolder(), { disk, events });
    for (const where of ['details', 'entries', 'head']) {
      disk.before = (operation, path) => {
        if (operation === 'write' && path.includes(`/${where}/`))
          throw Object.assign(new Error('injected'), { code: 'ENOSPC' });
        if (operation === 'open' && where === 'head' && path.includes('tmp.'))
          throw Object.assign(new Error('injected'), { code: 'ENOSPC' });
      };
      await assert.rejects(ledger.ingest(requestOf([draftOf(1)])), /disk is full/);
      disk.before = () => undefined;
    }
    assert.deepEqual(events.fatals, []);
    const { seqs } = await ledger.ingest(requestOf([draftOf(1)]));
    assert.deepEqual(seqs, [1]);
    await close();
  });

  it('that is full refuses what waits behind too, so that no number overtakes one that must come again', async () => {
    const disk = new PowerLossDisk();
    const { ledger, close } = await openTestLedger(freshFolder(), { disk, groupEntries: 1 });
    let full = true;
    disk.before = (operation, path) => {
      if (!full || operation !== 'write' || !path.includes('/details/')) return;
      full = false;
      throw Object.assign(new Error('injected'), { code: 'ENOSPC' });
    };
    const requests = [1, 2, 3].map((n) => requestOf([draftOf(n)], n));
    const outcomes = await Promise.allSettled(requests.map((request) => ledger.ingest(request)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.equal(ledger.pendingEntries, 0);
    for (const [i, request] of requests.entries()) assert.deepEqual((await ledger.ingest(request)).seqs, [i + 1]);
    await close();
  });
});
