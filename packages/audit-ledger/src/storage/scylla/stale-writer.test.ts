/** A writer that slept while others wrote, over a model of the cluster in which a copy is put back under it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openLedger } from '../../open-ledger.js';
import { SHARED_STORES } from '../../testing/fork/shared-stores.js';
import { AtOnce, Turns } from '../../testing/fork/turns.js';
import { draftOf, ledgerOptions, requestOf } from '../../testing/ledgers.js';
import { seeded } from '../../testing/random.js';
import { RollbackError, StaleWriterError } from '../errors.js';

it('signs nothing more where the copy has the log just as it left it', async () => {
  const store = SHARED_STORES.scylla(seeded(1));
  const open = () => openLedger(ledgerOptions({ openWriter: store.openWriter(new AtOnce(new Turns(seeded(1)))) }));
  const { ledger } = await open();
  await ledger.ingest(requestOf([draftOf(1)]));
  const putBack = store.copy();
  const other = await open();
  await other.ledger.ingest(requestOf([draftOf(2)]));
  putBack();
  await assert.rejects(ledger.ingest(requestOf([draftOf(3)])), StaleWriterError);
  await assert.rejects(open(), RollbackError);
});
