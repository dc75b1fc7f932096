/**
 * What a log is by its signed checkpoint, put together out of what is stored and of copies: a hash counts if it leads to the
 * signed root, a leaf if its hash does, a detail if its leaf committed to it. Whose bytes they are does not matter.
 */
import { LeafView } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { UnverifiableError, VerifiedTree } from '../reader/verified-tree.js';
import { type Pruning, prunedBy, pruningIn } from '../retention/pruning.js';
import { keeps } from '../retention/scope.js';
import { MalformedTileError, type TileSource } from '../tiles/node-reader.js';
import { type HashTile, TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { rebuiltTiles } from '../tiles/rebuilt-tiles.js';
import { leafHash } from '../tree/hash.js';
import { Turns } from '../turns.js';
import { isDetailOf } from '../verify/link.js';
import { type LogSource, NOTHING_PRUNED } from '../verify/source.js';
import { type Copy, type HeldBundle, hashesIn, readBundle } from './bundle.js';
import { votedHashes } from './voted-hashes.js';

/** Bundles that stay in memory: of 16 MiB at most. */
const KEPT_BUNDLES = 8;

/** Bytes that are right, and whose they are; undefined for those of the log itself. */
export interface Right {
  readonly bytes: Uint8Array;
  readonly from: string | undefined;
}

/** Nobody has it, or it was pruned. */
export type Absent = 'lost' | 'pruned';

/** By place in the bundle. */
export interface RightBundle {
  readonly stored: HeldBundle;
  /** Undefined where the hashes themselves are lost. */
  readonly hashes: readonly Uint8Array[] | undefined;
  readonly leaves: readonly (Right | Absent)[];
  readonly preimages: readonly (Right | Absent)[];
}

export class RightLog {
  readonly checkpoint: Checkpoint;
  readonly #copies: readonly Copy[];
  readonly #prunings: readonly Pruning[];
  readonly #prunedLeaves: number;
  readonly #tree: VerifiedTree;
  readonly #held: Recent<readonly [HeldBundle, ...HeldBundle[]]>;
  readonly #right = new Recent((index) => this.#bundle(index));

  private constructor(
    checkpoint: Checkpoint,
    copies: readonly Copy[],
    pruned: { readonly leaves: number; readonly prunings: readonly Pruning[] },
    tree: VerifiedTree,
    held: Recent<readonly [HeldBundle, ...HeldBundle[]]>,
  ) {
    this.checkpoint = checkpoint;
    this.#copies = copies;
    this.#prunings = pruned.prunings;
    this.#prunedLeaves = pruned.leaves;
    this.#tree = tree;
    this.#held = held;
  }

  /** `checkpoint` is signed. @throws UnverifiableError where no tree that leads to it can be put together */
  static async open(source: LogSource, copies: readonly Copy[], checkpoint: Checkpoint): Promise<RightLog> {
    const held = new Recent(async (index: number): Promise<readonly [HeldBundle, ...HeldBundle[]]> => {
      const own = await readBundle(source, index, checkpoint.size);
      return [own, ...(await Promise.all(copies.map((copy) => copy.bundle(index))))];
    });
    const stored: TileSource = (tile) => source.tile(tile);
    const voted = rebuiltTiles(stored, async (index) => votedHashes(await held.get(index)));
    const ofCopies = copies.map((_, i) => tilesOf(async (index) => (await held.get(index))[i + 1]));
    const tree = await VerifiedTree.open(checkpoint, stored, voted, ...ofCopies);
    const { leaves, announced } = (await source.pruned?.()) ?? NOTHING_PRUNED;
    const prunings = announced.flatMap(({ seq, detail }) => pruningIn(seq, detail) ?? []);
    return new RightLog(checkpoint, copies, { leaves, prunings }, tree, held);
  }

  /** Undefined where it is lost. */
  async tile(tile: HashTile): Promise<Uint8Array | undefined> {
    try {
      return await this.#tree.tile(tile);
    } catch (error) {
      if (error instanceof UnverifiableError) return undefined;
      throw error;
    }
  }

  async bundle(index: number): Promise<RightBundle> {
    return await this.#right.get(index);
  }

  /** Leaves of entries [from, to). */
  async leaves(from: number, to: number): Promise<(Right | Absent)[]> {
    return await this.#stretch(from, to, ({ leaves }) => leaves);
  }

  /** The same of 0x02 | salt | detail. */
  async preimages(from: number, to: number): Promise<(Right | Absent)[]> {
    return await this.#stretch(from, to, ({ preimages }) => preimages);
  }

  async #stretch(
    from: number,
    to: number,
    itemsOf: (bundle: RightBundle) => readonly (Right | Absent)[],
  ): Promise<(Right | Absent)[]> {
    const items: (Right | Absent)[] = [];
    for (let seq = from; seq < to; ) {
      const index = Math.floor(seq / TILE_WIDTH);
      const end = Math.min(to, (index + 1) * TILE_WIDTH);
      const all = itemsOf(await this.bundle(index));
      for (; seq < end; seq += 1) items.push(all[seq % TILE_WIDTH] ?? 'lost');
    }
    return items;
  }

  async #bundle(index: number): Promise<RightBundle> {
    const [stored, ...copied] = await this.#held.get(index);
    const width = tileWidth(this.checkpoint.size, 0, index);
    const tile = await this.tile({ kind: 'hashes', level: 0, index, width });
    const hashes = tile && hashesIn(tile);
    const held = [stored, ...copied].map((bundle, i) => ({ bundle, name: this.#copies[i - 1]?.name }));
    const leaves: (Right | Absent)[] = [];
    const preimages: (Right | Absent)[] = [];
    for (let i = 0; i < width; i += 1) {
      const seq = index * TILE_WIDTH + i;
      const found = firstOf(
        held,
        ({ leaves }) => leaves[i],
        (bytes) => isHashOf(hashes?.[i], bytes),
      );
      const leaf = found && new LeafView(found.bytes);
      const leafGone = seq < this.#prunedLeaves && (leaf === undefined || this.#takes(seq, leaf));
      leaves.push(leafGone ? 'pruned' : (found ?? 'lost'));
      if (leafGone || leaf === undefined) preimages.push(leafGone ? 'pruned' : 'lost');
      else preimages.push(this.#preimage(seq, leaf, held, i));
    }
    return { stored, hashes, leaves, preimages };
  }

  #preimage(seq: number, leaf: LeafView, held: readonly Held[], i: number): Right | Absent {
    const found = firstOf(
      held,
      ({ preimages }) => preimages[i],
      (bytes) => isDetailOf(leaf, bytes),
    );
    const gone = found?.from !== undefined || found === undefined;
    return gone && prunedBy(this.#prunings, seq, leaf) !== undefined ? 'pruned' : (found ?? 'lost');
  }

  /** Whether a pruning took that leaf, which a copy may still have. */
  #takes(seq: number, leaf: LeafView): boolean {
    return this.#prunings.some(({ leaves, scopes }) => seq < leaves && !keeps(scopes, leaf));
  }
}

interface Held {
  readonly bundle: HeldBundle;
  /** Undefined for the log itself. */
  readonly name: string | undefined;
}

function firstOf(
  held: readonly Held[],
  bytesOf: (bundle: HeldBundle) => Uint8Array | undefined,
  isRight: (bytes: Uint8Array) => boolean,
): Right | undefined {
  for (const { bundle, name } of held) {
    const bytes = bytesOf(bundle);
    if (bytes !== undefined && isRight(bytes)) return { bytes, from: name };
  }
  return undefined;
}

function isHashOf(hash: Uint8Array | undefined, leaf: Uint8Array): boolean {
  return hash !== undefined && Buffer.compare(leafHash(leaf), hash) === 0;
}

/** Level 0 as a copy has it. */
function tilesOf(bundle: (index: number) => Promise<HeldBundle | undefined>): TileSource {
  return async ({ level, index, width }) => {
    const hashes = level === 0 ? ((await bundle(index))?.hashes.slice(0, width) ?? []) : [];
    if (hashes.length < width) throw new MalformedTileError(`the copy has no tile ${level}/${index}`);
    return Buffer.concat(hashes.filter((hash) => hash !== undefined));
  };
}

/** What was made last, made once, and one after the other: a source reads forward. */
class Recent<T> {
  readonly #turns = new Turns();
  readonly #make: (index: number) => Promise<T>;
  readonly #made = new Map<number, Promise<T>>();

  constructor(make: (index: number) => Promise<T>) {
    this.#make = make;
  }

  async get(index: number): Promise<T> {
    const made = this.#made.get(index) ?? this.#turns.take(() => this.#make(index));
    this.#made.delete(index);
    this.#made.set(index, made);
    const oldest = this.#made.keys().next();
    if (this.#made.size > KEPT_BUNDLES && oldest.done !== true) this.#made.delete(oldest.value);
    return await made;
  }
}
