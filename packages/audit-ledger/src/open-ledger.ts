/** Store, sequencer and deduplication put together: a ledger that takes entries, without its ports. */

import { SentinelError } from '@sentinel/service-kit/errors';
import type { Beginning } from './beginning.js';
import { Ledger, type LedgerEvents, MAX_GROUP_ENTRIES } from './commit/ledger.js';
import type { SecondPath } from './commit/second-path.js';
import { Sequencer } from './commit/sequencer.js';
import { genesisDraft, rollbackDraft } from './commit/system-entries.js';
import { Deduplicator } from './ingest/deduplicate.js';
import { storeLookup } from './ingest/lookup.js';
import type { SigningKey } from './note/keys.js';
import type { Backend } from './storage/backend.js';
import { StaleWriterError } from './storage/errors.js';
import type { LedgerStore } from './storage/store.js';

export interface OpenLedgerOptions {
  readonly backend: Pick<Backend, 'openWriter'>;
  readonly key: SigningKey;
  readonly acceptRollback: boolean;
  readonly beginning: Beginning;
  readonly groupEntries: number;
  readonly nowUs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly events: LedgerEvents;
  /** By default in place. */
  readonly secondPath?: SecondPath | undefined;
}

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly store: LedgerStore;
  /** Entries that the start recomputed. */
  readonly recomputed: number;
  /** Size of the checkpoint that the log fell behind, where an operator accepted that. */
  readonly lostSize: number | undefined;
  /** Why nothing shows whether the log went back in time before this start. */
  readonly unguarded: string | undefined;
  close(): Promise<void>;
}

/** Opens or makes a log. @throws what Backend.openWriter throws */
export async function openLedger(options: OpenLedgerOptions): Promise<OpenLedger> {
  const { key, nowUs, randomBytes, events } = options;
  const opened = await options.backend.openWriter({
    verifier: key.verifier,
    acceptRollback: options.acceptRollback,
    mayBegin: options.beginning.allowed,
    nowUs: nowUs(),
    newEpochId: randomBytes(16),
  });
  const { store, state, shadow, window, seals, lost, unguarded, recomputed } = opened;
  const ledger = new Ledger({
    store,
    sequencer: new Sequencer(state, shadow, options.secondPath),
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
    await begin(store, options.beginning);
    if (store.head.size === 0)
      await ledger.record(genesisDraft(key.verifier.name, key.verifier.text, nowUs(), randomBytes(16)));
    if (lost !== undefined || (unguarded !== undefined && options.acceptRollback))
      await ledger.record(rollbackDraft(lost, store.head.size, nowUs(), randomBytes(16)));
    await store.saveCheckpoint(ledger.checkpoint.note);
  } catch (error) {
    await close();
    throw error;
  }
  return { ledger, store, recomputed, lostSize: lost?.size, unguarded, close };
}

/** The head is in its place and says that a log begins there: from here on a crash leads to the genesis, and to no other log. */
async function begin(store: LedgerStore, beginning: Beginning): Promise<void> {
  const { head } = store;
  if (head.size === 0) {
    try {
      return beginning.taken(head.generation > 1);
    } catch (error) {
      // Whoever took the log over may be who took note of it: then that is why this one stops. Whatever else is wrong with the store
      // is no reason: it would be waited for, and the next try be taken for one that goes on.
      const lost = await store.assertOwned().catch((reason: unknown) => reason);
      throw lost instanceof StaleWriterError ? lost : error;
    }
  }
  if (!beginning.demanded) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: '--new-log',
    message: `there is a log of ${head.size} entries already`,
    hint: 'Start without --new-log: left in place it would begin a second log once the first is out of sight.',
  });
}
