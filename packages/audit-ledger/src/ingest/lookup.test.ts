import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { LedgerStore, StoredEntry } from '../storage/store.js';
import { draftOf, freshFolder, openTestLedger, requestOf } from '../testing/ledgers.js';
import { storeLookup } from './lookup.js';

/** The store, with the reads that reach it counted. */
function counted(store: LedgerStore): { store: LedgerStore; reads: () => number } {
  let reads = 0;
  const counting = {
    get head() {
      return store.head;
    },
    readEntries: async (from: number, to: number): Promise<StoredEntry[]> => {
      reads += 1;
      return await store.readEntries(from, to);
    },
  };
  return { store: counting as LedgerStore, reads: () => reads };
}

it('finds events that are repeated in order with few reads, and single ones anywhere', async () => {
  const { ledger, store, close } = await openTestLedger(freshFolder());
  const drafts = Array.from({ length: 1000 }, (_, i) => draftOf(i));
  const { seqs } = await ledger.ingest(requestOf(drafts));
  const counting = counted(store);
  const lookup = storeLookup(counting.store);
  for (const [i, { eventId }] of drafts.entries())
    assert.equal((await lookup.byId(eventId, [seqs[i] ?? -1]))?.leaf.seq, seqs[i]);
  assert.ok(counting.reads() <= 6, `${counting.reads()} reads of 1000 events`);
  for (const i of [900, 3, 500, 2]) {
    const { eventId } = drafts[i] ?? draftOf(0);
    assert.equal((await lookup.byId(eventId, [seqs[i] ?? -1]))?.leaf.seq, seqs[i]);
    assert.equal(await lookup.byId(eventId, [(seqs[i] ?? -1) - 1, 5000]), undefined);
  }
  await close();
});
