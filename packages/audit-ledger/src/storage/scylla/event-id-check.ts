/** Stored fingerprints of event ids against the entries that a verification walks: what they do not say is taken twice after a start. */

import { BLOCK_ENTRIES } from '../../index/block.js';
import type { LeafView } from '../../leaf/leaf.js';
import type { SourceFault } from '../../verify/source.js';
import { decodeEventIds, type EventIds } from './blocks.js';

type Identified = Pick<LeafView, 'eventId' | 'receivedUs'>;

export class EventIdCheck {
  readonly faults: SourceFault[] = [];
  readonly #load: (block: number) => Promise<Buffer | undefined>;
  #number = -1;
  #stored: EventIds | undefined;

  constructor(load: (block: number) => Promise<Buffer | undefined>) {
    this.#load = load;
  }

  /** Takes entries from `first` on, which lie in one block; pruned ones are older than any window. */
  async take(first: number, leaves: readonly (Identified | undefined)[]): Promise<void> {
    const number = Math.floor(first / BLOCK_ENTRIES);
    if (number !== this.#number) await this.#open(number);
    const stored = this.#stored;
    if (stored === undefined) return;
    const start = number * BLOCK_ENTRIES;
    const wrong = leaves.findIndex((leaf, i) => leaf !== undefined && !says(stored, first + i - start, leaf));
    if (wrong < 0) return;
    const seq = first + wrong;
    this.faults.push({
      first: seq,
      last: seq,
      what: `event ids of block ${number} do not say what this entry's is, so it could be taken again; a start makes them again once they are removed`,
    });
    // One finding a block: whatever else is wrong with it goes with it.
    this.#stored = undefined;
  }

  /** The newest block, and one before the window, are not stored; a damaged one is named elsewhere. */
  async #open(number: number): Promise<void> {
    this.#number = number;
    const content = await this.#load(number);
    this.#stored = content && decodeEventIds(content);
  }
}

/** The last entry of a block says how old it is. */
function says(stored: EventIds, at: number, { eventId, receivedUs }: Identified): boolean {
  return stored.has(at, eventId) && (at < BLOCK_ENTRIES - 1 || stored.receivedUs === receivedUs);
}
