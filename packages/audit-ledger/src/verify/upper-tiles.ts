/** Hash tiles above the leaves: what a walk computes for them against what the log publishes. */
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import type { NodeSink } from '../tree/frontier.js';
import { HASH_BYTES } from '../tree/hash.js';
import type { LogSource, SourceFault } from './source.js';

interface Node {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

export class UpperTiles {
  readonly faults: SourceFault[] = [];
  readonly #source: LogSource;
  readonly #size: number;
  #computed: Node[] = [];
  /** Newest tile of each level. */
  readonly #tiles = new Map<number, { index: number; bytes: Uint8Array }>();

  constructor(source: LogSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  readonly sink: NodeSink = (level, index, hash) => {
    this.#computed.push({ level, index, hash });
  };

  /** Compares what was computed since the last call. */
  async check(): Promise<void> {
    for (const { level, index, hash } of this.#computed.splice(0)) {
      const tile = await this.#tile(level, Math.floor(index / TILE_WIDTH));
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      if (Buffer.compare(tile.subarray(at, at + HASH_BYTES), hash) === 0) continue;
      const first = index * TILE_WIDTH ** level;
      const last = first + TILE_WIDTH ** level - 1;
      this.faults.push({ first, last, what: `hash tile of level ${level} does not fit entries up to ${last}` });
    }
  }

  async #tile(level: number, index: number): Promise<Uint8Array> {
    const known = this.#tiles.get(level);
    if (known?.index === index) return known.bytes;
    const bytes = await this.#source.tile({ kind: 'hashes', level, index, width: tileWidth(this.#size, level, index) });
    this.#tiles.set(level, { index, bytes });
    return bytes;
  }
}
