/** Store, sequencer and deduplication put together: a ledger that takes entries, without its ports. */

import { Ledger, type LedgerEvents, MAX_GROUP_ENTRIES } from './commit/ledger.js';
import { Sequencer } from './commit/sequencer.js';
import { genesisDraft, rollbackDraft } from './commit/system-entries.js';
import { Deduplicator } from './ingest/deduplicate.js';
import { storeLookup } from './ingest/lookup.js';
import type { SigningKey } from './note/keys.js';
import type { Backend } from './storage/backend.js';
import type { LedgerStore } from './storage/store.js';

export interface OpenLedgerOptions {
  readonly backend: Pick<Backend, 'openWriter'>;
  readonly key: SigningKey;
  readonly acceptRollback: boolean;
  readonly groupEntries: number;
  readonly nowUs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly events: LedgerEvents;
}

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly store: LedgerStore;
  /** Entries that the start recomputed. */
  readonly recomputed: number;
  /** Size of the checkpoint that the log fell behind, where an operator accepted that. */
  readonly lostSize: number | undefined;
  close(): Promise<void>;
}

/** Opens or makes a log. @throws what Backend.openWriter throws */
export async function openLedger(options: OpenLedgerOptions): Promise<OpenLedger> {
  const { key, nowUs, randomBytes, events } = options;
  const opened = await options.backend.openWriter({
    verifier: key.verifier,
    acceptRollback: options.acceptRollback,
    nowUs: nowUs(),
    newEpochId: randomBytes(16),
  });
  const { store, state, shadow, window, seals, lost, recomputed } = opened;
  const ledger = new Ledger({
    store,
    sequencer: new Sequencer(state, shadow),
    window,
    deduplicator: new Deduplicator(window, storeLookup(store)),
    seals,
    key,
    groupEntries: Math.min(options.groupEntries, MAX_GROUP_ENTRIES),
    nowUs,
    randomBytes,
    events,
  });
  const close = async (): Promise<void> => {
    await ledger.close();
    await store.close();
  };
  try {
    if (store.head.size === 0)
      await ledger.record(genesisDraft(key.verifier.name, key.verifier.text, nowUs(), randomBytes(16)));
    if (lost !== undefined) await ledger.record(rollbackDraft(lost, store.head.size, nowUs(), randomBytes(16)));
    await store.saveCheckpoint(ledger.checkpoint.note);
  } catch (error) {
    await close();
    throw error;
  }
  return { ledger, store, recomputed, lostSize: lost?.size, close };
}
