/** Stored events as deduplication asks for them. */
import type { Draft } from '../commit/build.js';
import { SALT_BYTES } from '../detail/commitment.js';
import { decodeLeaf } from '../leaf/leaf.js';
import type { LedgerStore, StoredEntry } from '../storage/store.js';
import type { EventLookup, StoredEvent } from './deduplicate.js';

/** Index entries looked at in one step of a search. */
const SEARCH_PAGE = 256;
/** Entries read at once where they are asked for in order. */
const READ_AHEAD = 256;

export function storeLookup(store: LedgerStore): EventLookup {
  const ahead = new ReadAhead(store);
  const at = async (seq: number): Promise<StoredEvent | undefined> => {
    const entry = await ahead.at(seq);
    return entry === undefined ? undefined : storedEvent(entry);
  };
  return {
    byId: async (eventId, candidates) => {
      for (const seq of candidates) {
        const event = await at(seq);
        if (event !== undefined && Buffer.compare(event.leaf.eventId, eventId) === 0) return event;
      }
      return undefined;
    },
    search: async (draft) => await search(store, draft, at),
  };
}

/** A request that is repeated asks for entries one after the other: those that follow are read with the first. */
class ReadAhead {
  readonly #store: LedgerStore;
  #entries: ReadonlyMap<number, StoredEntry> = new Map();
  #last = Number.NaN;

  constructor(store: LedgerStore) {
    this.#store = store;
  }

  async at(seq: number): Promise<StoredEntry | undefined> {
    const known = this.#entries.get(seq);
    const follows = seq === this.#last + 1;
    this.#last = seq;
    if (known !== undefined) return known;
    const end = follows ? Math.min(seq + READ_AHEAD, this.#store.head.size) : seq + 1;
    const entries = await this.#store.readEntries(seq, end);
    this.#entries = new Map(entries.map((entry) => [entry.seq, entry]));
    return this.#entries.get(seq);
  }
}

/** An event is found again by its GPU, type and time, which its index entry repeats. */
async function search(
  store: LedgerStore,
  draft: Draft,
  at: (seq: number) => Promise<StoredEvent | undefined>,
): Promise<StoredEvent | undefined> {
  const { gpu, type, eventUs } = draft;
  let toSeq: number | undefined = store.head.size;
  while (toSeq !== undefined) {
    const filter = { gpu, type, startUs: eventUs, endUs: eventUs + 1, fromSeq: 0, toSeq };
    const page = await store.query(filter, 'newest', SEARCH_PAGE);
    for (const seq of page.seqs) {
      const event = await at(seq);
      if (event !== undefined && Buffer.compare(event.leaf.eventId, draft.eventId) === 0) return event;
    }
    toSeq = page.next;
  }
  return undefined;
}

function storedEvent({ leaf, detailPreimage }: StoredEntry): StoredEvent {
  return { leaf: decodeLeaf(leaf), detail: detailPreimage?.subarray(1 + SALT_BYTES) };
}
