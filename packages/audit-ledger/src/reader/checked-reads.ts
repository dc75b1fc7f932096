/** What the writer serves out of its own store: no tile that is not part of the tree that it signed. */
import type { Checkpoint } from '../note/checkpoint.js';
import type { Pruned } from '../retention/pruning.js';
import type { LogReads } from '../storage/store.js';
import { type HashTile, tileWidth } from '../tiles/path.js';
import { tilesOf } from './served-tiles.js';
import { VerifiedTree } from './verified-tree.js';

/** A damaged or lost tile is made again from the leaves, for whoever asks; on the disk `repair` mends it. */
export class CheckedReads implements LogReads {
  readonly #store: LogReads;
  readonly #checkpoint: () => Checkpoint;
  #tree: Promise<VerifiedTree> | undefined;
  #size = -1;

  constructor(store: LogReads, checkpoint: () => Checkpoint) {
    this.#store = store;
    this.#checkpoint = checkpoint;
  }

  get pruned(): Pruned {
    return this.#store.pruned;
  }

  async readEntries(...[from, to]: Parameters<LogReads['readEntries']>): ReturnType<LogReads['readEntries']> {
    return await this.#store.readEntries(from, to);
  }

  async readLeaves(...[from, to]: Parameters<LogReads['readLeaves']>): ReturnType<LogReads['readLeaves']> {
    return await this.#store.readLeaves(from, to);
  }

  /** @throws UnverifiableError where neither the tile nor its leaves are what was signed */
  async readTile(tile: HashTile): Promise<Uint8Array | undefined> {
    const { size } = this.#checkpoint();
    if (tile.width > tileWidth(size, tile.level, tile.index)) return undefined;
    return await (await this.#treeOf()).tile(tile);
  }

  async query(...question: Parameters<LogReads['query']>): ReturnType<LogReads['query']> {
    return await this.#store.query(...question);
  }

  async #treeOf(): Promise<VerifiedTree> {
    const checkpoint = this.#checkpoint();
    if (this.#tree !== undefined && this.#size === checkpoint.size) return await this.#tree;
    const before = this.#tree;
    this.#size = checkpoint.size;
    const opening = this.#open(checkpoint, before);
    this.#tree = opening;
    // What is damaged now may be mended before the next one asks.
    opening.catch(() => {
      if (this.#tree === opening) this.#tree = undefined;
    });
    return await opening;
  }

  async #open(checkpoint: Checkpoint, before: Promise<VerifiedTree> | undefined): Promise<VerifiedTree> {
    const tree = await VerifiedTree.open(checkpoint, ...tilesOf(this.#store));
    // The writer's own trees: each is the beginning of the next.
    const earlier = await before?.catch(() => undefined);
    if (earlier !== undefined) tree.inherit(earlier);
    return tree;
  }
}
