/** First path of a commit: from drafts to bytes, chain and tree, on a copy of the state. */
import { COMMIT_PREFIX, SALT_BYTES } from '../detail/commitment.js';
import { type LeafType, MAX_LEAF_BYTES, writeLeafPrefix } from '../leaf/leaf.js';
import type { Landmark } from '../storage/head.js';
import { Frontier, type NodeSink } from '../tree/frontier.js';
import {
  type Digest,
  digest,
  digestBytes,
  digestOf,
  HASH_BYTES,
  LEAF_PREFIX,
  writeDigest,
  ZERO_HASH,
} from '../tree/hash.js';
import { type BatchHeader, RECORD_HEADER_BYTES, writeHeader } from './record.js';

/** An event that passed every check of ingest and awaits its seq. */
export interface Draft {
  readonly type: LeafType;
  readonly injected: boolean;
  readonly eventUs: number;
  readonly eventId: Uint8Array;
  readonly producer: string;
  readonly gpu: string;
  /** Canonical JSON. */
  readonly detail: Uint8Array;
  /** The head shall name the entry as the newest of this kind. */
  readonly landmark?: Landmark;
}

export interface ChainState {
  /** Entry hash of the newest entry; zero for an empty log. */
  readonly chainHead: Buffer;
  readonly receivedUs: number;
  readonly frontier: Frontier;
}

export interface Batch {
  readonly header: BatchHeader;
  readonly drafts: readonly Draft[];
  readonly entries: Buffer;
  readonly details: Buffer;
  /** By tile level, the hashes that the tiles of that level gain: those of the entries first. */
  readonly columns: readonly Buffer[];
  readonly batchRoot: Buffer;
  readonly next: ChainState;
}

export interface BatchInput {
  readonly commit: number;
  readonly epoch: number;
  readonly batchId: Uint8Array;
  readonly drafts: readonly Draft[];
  readonly nowUs: number;
  /** 16 random bytes per draft. */
  readonly salts: Uint8Array;
}

export const EMPTY_CHAIN: ChainState = { chainHead: ZERO_HASH, receivedUs: 0, frontier: new Frontier() };

export function buildBatch(before: ChainState, input: BatchInput): Batch {
  const header = headerOf(before, input);
  const receivedUs = Math.max(before.receivedUs, input.nowUs);
  const details = new DetailWriter(header, input.drafts);
  const entries = new EntryWriter(header, before.chainHead);
  const frontier = before.frontier.clone();
  const batchFrontier = new Frontier();
  const entryHashes = Buffer.allocUnsafe(HASH_BYTES * input.drafts.length);
  const upper: Buffer[][] = [];
  const sink: NodeSink = (tileLevel, _index, hash) => {
    const column = upper[tileLevel - 1] ?? [];
    upper[tileLevel - 1] = column;
    column.push(hash);
  };

  for (const [i, draft] of input.drafts.entries()) {
    const detailCommit = details.add(input.salts, i * SALT_BYTES, draft.detail);
    const entryHash = entries.add(draft, header.firstSeq + i, receivedUs, detailCommit);
    writeDigest(entryHash, entryHashes, i * HASH_BYTES);
    batchFrontier.append(entryHash);
    frontier.append(entryHash, sink);
  }

  return {
    header,
    drafts: input.drafts,
    entries: entries.bytes(),
    details: details.bytes(),
    columns: [entryHashes, ...upper.map((hashes) => Buffer.concat(hashes))],
    batchRoot: batchFrontier.root(),
    next: { chainHead: entries.chainHead(), receivedUs, frontier },
  };
}

function headerOf(before: ChainState, { commit, epoch, batchId, drafts }: BatchInput): BatchHeader {
  return { commit, epoch, batchId, firstSeq: before.frontier.size, count: drafts.length };
}

class DetailWriter {
  readonly #record: Buffer;
  #end: number;

  constructor(header: BatchHeader, drafts: readonly Draft[]) {
    const each = 4 + 1 + SALT_BYTES;
    this.#record = Buffer.allocUnsafe(
      RECORD_HEADER_BYTES + drafts.reduce((sum, { detail }) => sum + each + detail.length, 0),
    );
    this.#end = writeHeader(this.#record, header);
  }

  /** The commitment under the salt at `saltAt`. */
  add(salts: Uint8Array, saltAt: number, detail: Uint8Array): Digest {
    const start = this.#record.writeUInt32BE(1 + SALT_BYTES + detail.length, this.#end);
    this.#record[start] = COMMIT_PREFIX;
    for (let i = 0; i < SALT_BYTES; i += 1) this.#record[start + 1 + i] = salts[saltAt + i] ?? 0;
    this.#record.set(detail, start + 1 + SALT_BYTES);
    this.#end = start + 1 + SALT_BYTES + detail.length;
    return digest(this.#record.subarray(start, this.#end));
  }

  bytes(): Buffer {
    return this.#record;
  }
}

class EntryWriter {
  readonly #record: Buffer;
  #prev: Digest;
  #end: number;

  constructor(header: BatchHeader, chainHead: Uint8Array) {
    this.#record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + header.count * (2 + 1 + MAX_LEAF_BYTES));
    this.#end = writeHeader(this.#record, header);
    this.#prev = digestOf(chainHead);
  }

  /** The entry hash, to which the next call links. */
  add(draft: Draft, seq: number, receivedUs: number, detailCommit: Digest): Digest {
    const start = this.#end + 2;
    this.#record[start] = LEAF_PREFIX;
    const commitAt = writeLeafPrefix(this.#record, start + 1, draft, {
      seq,
      receivedUs,
      detailLength: draft.detail.length,
    });
    writeDigest(detailCommit, this.#record, commitAt);
    writeDigest(this.#prev, this.#record, commitAt + HASH_BYTES);
    this.#end = commitAt + 2 * HASH_BYTES;
    this.#record.writeUInt16BE(this.#end - start, start - 2);
    this.#prev = digest(this.#record.subarray(start, this.#end));
    return this.#prev;
  }

  chainHead(): Buffer {
    return digestBytes(this.#prev);
  }

  bytes(): Buffer {
    return Buffer.from(this.#record.subarray(0, this.#end));
  }
}
