/** Stored blocks of the index against the entries that a verification walks: what the index does not say no query finds. */
import type { LeafView } from '../leaf/leaf.js';
import type { SourceFault } from '../verify/source.js';
import { BLOCK_ENTRIES, IndexBlock, MalformedIndexError } from './block.js';
import type { BlockKeeper } from './index-store.js';

type Indexed = Pick<LeafView, 'type' | 'eventUs' | 'gpu'>;

export class IndexCheck {
  readonly faults: SourceFault[] = [];
  readonly #load: BlockKeeper['load'];
  #number = -1;
  #block: IndexBlock | undefined;
  #gpus: readonly (string | undefined)[] = [];

  constructor({ load }: Pick<BlockKeeper, 'load'>) {
    this.#load = load;
  }

  /**
   * Takes entries from `first` on, which lie in one block. A pruned one is passed over: a crash leaves it in the index until the
   * pruning is resumed, and no query shows it.
   */
  async take(first: number, leaves: readonly (Indexed | undefined)[]): Promise<void> {
    const number = Math.floor(first / BLOCK_ENTRIES);
    if (number !== this.#number) await this.#open(number);
    const block = this.#block;
    if (block === undefined) return;
    const wrong = leaves.findIndex((leaf, i) => leaf !== undefined && !this.#says(block, first + i, leaf));
    if (wrong < 0) return;
    this.#blame(
      first + wrong,
      first + wrong,
      `index block ${number} does not say what this entry is, so queries miss it`,
    );
    // One finding a block: whatever else is wrong with it goes with it.
    this.#block = undefined;
  }

  #says(block: IndexBlock, seq: number, leaf: Indexed): boolean {
    const at = seq - block.firstSeq;
    const { type, eventUs } = block.at(at);
    return type === leaf.type && eventUs === leaf.eventUs && (this.#gpus[at] ?? '') === leaf.gpu;
  }

  /** The newest block, which nobody wrote yet, and one that was lost are made from the leaves when they are asked. */
  async #open(number: number): Promise<void> {
    this.#number = number;
    this.#block = undefined;
    const first = number * BLOCK_ENTRIES;
    const bytes = await this.#load(number);
    if (bytes === undefined) return;
    const what = intactBlock(bytes);
    if (what instanceof IndexBlock && what.firstSeq === first) {
      this.#block = what;
      this.#gpus = what.gpus();
      return;
    }
    const how = what instanceof IndexBlock ? `is that of entries ${what.firstSeq} and after` : 'is damaged';
    this.#blame(first, first + BLOCK_ENTRIES - 1, `index block ${number} ${how}`);
  }

  #blame(first: number, last: number, what: string): void {
    this.faults.push({ first, last, what });
  }
}

function intactBlock(bytes: Buffer): IndexBlock | undefined {
  try {
    return IndexBlock.decode(bytes);
  } catch (error) {
    if (error instanceof MalformedIndexError) return undefined;
    throw error;
  }
}
