/** The index of a log: the newest block in memory, full ones kept by the backend, of which the last used stay decoded. */
import { decodeLeaf, type Leaf } from '../leaf/leaf.js';
import type { QueryPage } from '../storage/store.js';
import { BLOCK_ENTRIES, IndexBlock, type IndexFilter, isOutside, MalformedIndexError, type TimeSpan } from './block.js';

/** About 1 MiB each. */
const DECODED_BLOCKS = 8;

/** Gives committed leaves [from, to) to rebuild a block from; undefined for pruned ones. */
export type LeafReader = (from: number, to: number) => Promise<(Uint8Array | undefined)[]>;

/** Where encoded blocks are kept, by number. */
export interface BlockKeeper {
  /** Undefined where there is none. */
  load(number: number): Promise<Buffer | undefined>;
  save(number: number, block: Buffer): Promise<void>;
}

export class IndexStore {
  readonly #blocks: BlockKeeper;
  readonly #leaves: LeafReader;
  readonly #decoded = new Map<number, IndexBlock>();
  /** Of full blocks that were looked at: one that holds nothing of the time that is asked for need not be read again. */
  readonly #spans = new Map<number, TimeSpan>();
  /** Full blocks that wait to be written. */
  #full: IndexBlock[] = [];
  #newest: IndexBlock;

  /** `size` entries are in the log; those of the newest block are yet to be added. */
  constructor(size: number, blocks: BlockKeeper, leaves: LeafReader) {
    this.#blocks = blocks;
    this.#leaves = leaves;
    this.#newest = new IndexBlock(Math.floor(size / BLOCK_ENTRIES) * BLOCK_ENTRIES);
  }

  get size(): number {
    return this.#newest.firstSeq + this.#newest.count;
  }

  /** Takes the next entry; one that a stored block already has is passed over. */
  add(seq: number, leaf: Pick<Leaf, 'type' | 'eventUs' | 'gpu'>, commit: number): void {
    if (seq < this.size) return;
    this.#newest.add(leaf, commit);
    this.#turnIfFull();
  }

  #turnIfFull(): void {
    if (!this.#newest.full) return;
    this.#full.push(this.#newest);
    this.#newest = new IndexBlock(this.#newest.firstSeq + BLOCK_ENTRIES);
  }

  /** Takes entries [size, to) out of the stored leaves. */
  async fill(to: number): Promise<void> {
    for (const leaf of await this.#leaves(this.size, Math.max(to, this.size))) {
      addTo(this.#newest, leaf);
      this.#turnIfFull();
    }
  }

  /** Makes the blocks of entries [from, to) again, whose leaves were pruned. */
  async forget(from: number, to: number): Promise<void> {
    for (let number = Math.floor(from / BLOCK_ENTRIES); number * BLOCK_ENTRIES < to; number += 1) {
      if (number === numberOf(this.#newest)) await this.#refill();
      else if (!this.#full.some((block) => numberOf(block) === number)) this.#remember(await this.#rebuild(number));
    }
  }

  /** Entries that come meanwhile are taken from the leaves too. */
  async #refill(): Promise<void> {
    const block = new IndexBlock(this.#newest.firstSeq);
    while (block.firstSeq + block.count < this.size) {
      const leaves = await this.#leaves(block.firstSeq + block.count, this.size);
      for (const leaf of leaves) addTo(block, leaf);
    }
    if (block.firstSeq === this.#newest.firstSeq) this.#newest = block;
  }

  /** Writes full blocks. */
  async flush(): Promise<void> {
    for (const block of this.#full.slice()) {
      await this.#blocks.save(numberOf(block), block.encode());
      this.#remember(block);
      this.#full = this.#full.filter((each) => each !== block);
    }
  }

  /** Blocks over these entries were made anew by somebody else: they are read again. */
  reload(seqs: readonly number[]): void {
    for (const seq of seqs) this.#decoded.delete(Math.floor(seq / BLOCK_ENTRIES));
  }

  async query(filter: IndexFilter, order: 'newest' | 'oldest', limit: number): Promise<QueryPage> {
    const seqs: number[] = [];
    const toSeq = Math.min(filter.toSeq, this.size);
    const first = Math.floor(filter.fromSeq / BLOCK_ENTRIES);
    const last = Math.floor((toSeq - 1) / BLOCK_ENTRIES);
    const [start, step] = order === 'newest' ? [last, -1] : [first, 1];
    for (let block = start; block >= first && block <= last && seqs.length <= limit; block += step) {
      if (isOutside(filter, this.#spans.get(block))) continue;
      const found = (await this.#block(block)).matches({ ...filter, toSeq });
      seqs.push(...(order === 'newest' ? found.reverse() : found));
    }
    const page = seqs.slice(0, limit);
    const final = page.at(-1);
    if (seqs.length <= limit || final === undefined) return { seqs: page, next: undefined };
    return { seqs: page, next: order === 'newest' ? final : final + 1 };
  }

  async #block(number: number): Promise<IndexBlock> {
    const inMemory =
      [this.#newest, ...this.#full].find((block) => numberOf(block) === number) ?? this.#decoded.get(number);
    const block = inMemory ?? (await this.#load(number));
    if (block !== this.#newest) this.#remember(block);
    return block;
  }

  async #load(number: number): Promise<IndexBlock> {
    const bytes = await this.#blocks.load(number);
    try {
      if (bytes !== undefined) return IndexBlock.decode(bytes);
    } catch (error) {
      if (!(error instanceof MalformedIndexError)) throw error;
    }
    return await this.#rebuild(number);
  }

  /** A block that a crash lost, or that is damaged, is made again from the leaves. */
  async #rebuild(number: number): Promise<IndexBlock> {
    const block = new IndexBlock(number * BLOCK_ENTRIES);
    for (const leaf of await this.#leaves(block.firstSeq, block.firstSeq + BLOCK_ENTRIES)) addTo(block, leaf);
    await this.#blocks.save(number, block.encode());
    return block;
  }

  #remember(block: IndexBlock): void {
    const number = numberOf(block);
    this.#decoded.delete(number);
    this.#decoded.set(number, block);
    this.#spans.set(number, block.span);
    const oldest = this.#decoded.keys().next();
    if (this.#decoded.size > DECODED_BLOCKS && oldest.done !== true) this.#decoded.delete(oldest.value);
  }
}

function addTo(block: IndexBlock, leaf: Uint8Array | undefined): void {
  if (leaf === undefined) block.addPruned();
  else block.add(decodeLeaf(leaf), 0);
}

function numberOf(block: IndexBlock): number {
  return block.firstSeq / BLOCK_ENTRIES;
}
