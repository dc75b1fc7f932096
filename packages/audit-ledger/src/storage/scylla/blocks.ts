/** What is derived from each 65,536 entries and may be made again from them: every writer would write the same. */
import { BLOCK_ENTRIES } from '../../index/block.js';
import type { BlockKeeper } from '../../index/index-store.js';
import { HASH_BYTES, sha256 } from '../../tree/hash.js';
import { bytesOf, type LogRows } from './log-rows.js';

export type BlockTable = 'blocks' | 'event_ids';

export function blockRows({ cluster, log }: LogRows, table: BlockTable): BlockKeeper {
  return {
    load: async (block) => {
      const row = await cluster.first(`SELECT content FROM ${table} WHERE log = ? AND block = ?`, [log, block]);
      return row === undefined ? undefined : bytesOf(row.content);
    },
    save: async (block, content) => {
      const query = `INSERT INTO ${table} (log, block, content) VALUES (?, ?, ?)`;
      await cluster.write([{ query, params: [log, block, content] }]);
    },
  };
}

const PRINT_BYTES = 8;
const PRINTS_AT = 8;
const ID_BYTES = 16;

/**
 * Event ids of one block, so far as the window of recent ones compares them: a start has two million to read.
 *
 *     u64 received_us of the newest entry | per entry the first 4 and the last 4 bytes of its event id | SHA-256 of all before
 */
export class EventIdBlock {
  readonly #bytes = Buffer.alloc(PRINTS_AT + PRINT_BYTES * BLOCK_ENTRIES + HASH_BYTES);
  #count = 0;

  get full(): boolean {
    return this.#count === BLOCK_ENTRIES;
  }

  add(eventId: Uint8Array, receivedUs: number): void {
    const at = PRINTS_AT + PRINT_BYTES * this.#count;
    this.#bytes.writeBigUInt64BE(BigInt(receivedUs), 0);
    this.#bytes.set(eventId.subarray(0, 4), at);
    this.#bytes.set(eventId.subarray(ID_BYTES - 4), at + 4);
    this.#count += 1;
  }

  /** Ids of which only the stored bytes are right; the buffer is reused. */
  ids(): Generator<Buffer> {
    return idsOf(this.#bytes, this.#count);
  }

  encode(): Buffer {
    this.#bytes.set(sha256(this.#bytes.subarray(0, -HASH_BYTES)), this.#bytes.length - HASH_BYTES);
    return this.#bytes;
  }
}

export interface EventIds {
  /** Of the newest entry. */
  readonly receivedUs: number;
  /** Ids of which only the stored bytes are right; the buffer is reused. */
  ids(): Generator<Buffer>;
  /** Whether the entry in this place may have that id. */
  has(place: number, eventId: Uint8Array): boolean;
}

/** Undefined where the bytes are not an intact block. */
export function decodeEventIds(bytes: Buffer): EventIds | undefined {
  const whole = bytes.length === PRINTS_AT + PRINT_BYTES * BLOCK_ENTRIES + HASH_BYTES;
  if (!whole || !sha256(bytes.subarray(0, -HASH_BYTES)).equals(bytes.subarray(-HASH_BYTES))) return undefined;
  return {
    receivedUs: Number(bytes.readBigUInt64BE(0)),
    ids: () => idsOf(bytes, BLOCK_ENTRIES),
    has: (place, eventId) => {
      const at = PRINTS_AT + PRINT_BYTES * place;
      const is = (from: number, byte: number): boolean => bytes[at + from] === eventId[byte];
      return [0, 1, 2, 3].every((i) => is(i, i) && is(4 + i, ID_BYTES - 4 + i));
    },
  };
}

function* idsOf(bytes: Buffer, count: number): Generator<Buffer> {
  const id = Buffer.alloc(ID_BYTES);
  for (let i = 0; i < count; i += 1) {
    const at = PRINTS_AT + PRINT_BYTES * i;
    bytes.copy(id, 0, at, at + 4);
    bytes.copy(id, ID_BYTES - 4, at + 4, at + PRINT_BYTES);
    yield id;
  }
}
