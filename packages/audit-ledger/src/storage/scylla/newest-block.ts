/** What is derived from the newest 65,536 entries while they come in: their index, and the fingerprints of their event ids. */
import { BLOCK_ENTRIES } from '../../index/block.js';
import { IndexStore } from '../../index/index-store.js';
import { type EventWindow, GENERATION_ENTRIES, GENERATIONS } from '../../ingest/event-window.js';
import { decodeLeaf, type Leaf } from '../../leaf/leaf.js';
import { blockRows, decodeEventIds, EventIdBlock } from './blocks.js';
import type { LogRows } from './log-rows.js';
import { readLeaves } from './scylla-reads.js';

/** Blocks that the window of event ids reaches back to. */
export const WINDOW_BLOCKS = (GENERATIONS * GENERATION_ENTRIES) / BLOCK_ENTRIES;
const WINDOW_US = 7 * 24 * 3600 * 1e6;

const PRUNED = { eventId: Buffer.alloc(16), receivedUs: 0 };

type Indexed = Pick<Leaf, 'type' | 'eventUs' | 'gpu' | 'eventId'>;

export class NewestBlock {
  readonly index: IndexStore;
  readonly #rows: LogRows;
  #eventIds = new EventIdBlock();
  #firstSeq: number;
  #full: { readonly block: number; readonly content: Buffer }[] = [];

  /** Of a log of `size` entries, of which those of the newest block are yet to be added. */
  constructor(rows: LogRows, size: number) {
    this.#rows = rows;
    this.#firstSeq = Math.floor(size / BLOCK_ENTRIES) * BLOCK_ENTRIES;
    this.index = new IndexStore(size, blockRows(rows, 'blocks'), (from, to) => readLeaves(rows, from, to));
  }

  /** Takes the next entry; one of an earlier block is passed over. */
  add(seq: number, leaf: Indexed, receivedUs: number, commit: number): void {
    if (seq < this.#firstSeq) return;
    this.index.add(seq, leaf, commit);
    this.#eventIds.add(leaf.eventId, receivedUs);
    if (!this.#eventIds.full) return;
    this.#full.push({ block: this.#firstSeq / BLOCK_ENTRIES, content: this.#eventIds.encode() });
    this.#eventIds = new EventIdBlock();
    this.#firstSeq += BLOCK_ENTRIES;
  }

  /** Takes the entries of the newest block below `end`, of which some are pruned. */
  async fill(end: number): Promise<void> {
    for (const leaf of await readLeaves(this.#rows, this.#firstSeq, end)) addTo(this.#eventIds, leaf);
    await this.index.fill(end);
  }

  /** Writes full blocks; what cannot be written now is kept for the next time, and made again by a start. */
  async flush(): Promise<void> {
    if (this.#full.length === 0) return;
    await this.index.flush();
    for (const each of this.#full.slice()) {
      await saveEventIds(this.#rows, each.block, each.content);
      this.#full = this.#full.filter((other) => other !== each);
    }
  }

  /** Event ids of the newest entries, as far as the window reaches; to be called once the newest block is complete. */
  async fillWindow(window: EventWindow, nowUs: number): Promise<EventWindow> {
    const newest = this.#firstSeq / BLOCK_ENTRIES;
    for (let block = Math.max(0, newest - WINDOW_BLOCKS); block < newest; block += 1) {
      const stored = await loadEventIds(this.#rows, block);
      if (stored.receivedUs < nowUs - WINDOW_US) continue;
      let seq = block * BLOCK_ENTRIES;
      for (const id of stored.ids()) {
        if (!id.equals(PRUNED.eventId)) window.add(id, seq);
        seq += 1;
      }
    }
    let seq = this.#firstSeq;
    for (const id of this.#eventIds.ids()) {
      if (!id.equals(PRUNED.eventId)) window.add(id, seq);
      seq += 1;
    }
    return window;
  }
}

/** One whose leaf is gone is older than the window, and its id all zeros. */
function addTo(block: EventIdBlock, leaf: Uint8Array | undefined): void {
  const { eventId, receivedUs } = leaf === undefined ? PRUNED : decodeLeaf(leaf);
  block.add(eventId, receivedUs);
}

/** Those before the window are not read again. */
async function saveEventIds(rows: LogRows, block: number, content: Buffer): Promise<void> {
  await blockRows(rows, 'event_ids').save(block, content);
  const old = block - WINDOW_BLOCKS - 1;
  const query = 'DELETE FROM event_ids WHERE log = ? AND block = ?';
  if (old >= 0) await rows.cluster.write([{ query, params: [rows.log, old] }]);
}

/** One that a crash lost, or that is damaged, is made again from the leaves. */
async function loadEventIds(rows: LogRows, block: number) {
  const stored = await blockRows(rows, 'event_ids').load(block);
  const intact = stored && decodeEventIds(stored);
  if (intact !== undefined) return intact;
  const again = new EventIdBlock();
  const from = block * BLOCK_ENTRIES;
  for (const leaf of await readLeaves(rows, from, from + BLOCK_ENTRIES)) addTo(again, leaf);
  const content = again.encode();
  await blockRows(rows, 'event_ids').save(block, content);
  const made = decodeEventIds(content);
  if (made === undefined) throw new Error('event ids do not match their own digest');
  return made;
}
