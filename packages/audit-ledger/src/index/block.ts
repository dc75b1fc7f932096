/**
 * Index of 65,536 consecutive entries by GPU, type and event time. The newest block grows in memory; a full one is
 * written once and never changes. Everything in it can be rebuilt from the leaves.
 *
 *     "SIX1" | u64 first_seq | u32 gpu_count | u32 dictionary_bytes | 256 x u64 commit of each bundle's first entry
 *     | 65,536 x u8 type | 65,536 x u64 event_us | dictionary: per GPU (lp8 name | u32 postings) | postings: u16 each
 *     | SHA-256 of all before
 */
import { isLeafType, type Leaf, type LeafType } from '../leaf/leaf.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { HASH_BYTES, sha256 } from '../tree/hash.js';

export const BLOCK_ENTRIES = TILE_WIDTH * TILE_WIDTH;
const BUNDLES = BLOCK_ENTRIES / TILE_WIDTH;
const MAGIC = Buffer.from('SIX1');
const HEADER_BYTES = 4 + 8 + 4 + 4;
const TYPES_AT = HEADER_BYTES + 8 * BUNDLES;
const TIMES_AT = TYPES_AT + BLOCK_ENTRIES;
/** In place of the type of an entry whose leaf was pruned. */
const PRUNED = 0;
const DICTIONARY_AT = TIMES_AT + 8 * BLOCK_ENTRIES;

export class MalformedIndexError extends Error {
  override readonly name = 'MalformedIndexError';
}

export class IndexBlock {
  readonly firstSeq: number;
  #count = 0;
  readonly #span: { first: number; last: number } = { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
  readonly #commits = new Float64Array(BUNDLES);
  readonly #types = new Uint8Array(BLOCK_ENTRIES);
  readonly #times = new Float64Array(BLOCK_ENTRIES);
  readonly #postings = new Map<string, number[]>();

  constructor(firstSeq: number) {
    this.firstSeq = firstSeq;
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === BLOCK_ENTRIES;
  }

  /** Of the event times in it. */
  get span(): TimeSpan {
    return { ...this.#span };
  }

  /** Appends the next entry, which commit number `commit` stored. */
  add(leaf: Pick<Leaf, 'type' | 'eventUs' | 'gpu'>, commit: number): void {
    const at = this.#count;
    if (at % TILE_WIDTH === 0) this.#commits[at / TILE_WIDTH] = commit;
    this.#types[at] = leaf.type;
    this.#times[at] = leaf.eventUs;
    if (leaf.eventUs < this.#span.first) this.#span.first = leaf.eventUs;
    if (leaf.eventUs > this.#span.last) this.#span.last = leaf.eventUs;
    if (leaf.gpu !== '') this.#post(leaf.gpu, at);
    this.#count += 1;
  }

  /** Stands for the next entry, whose leaf was pruned: it never matches. */
  addPruned(): void {
    this.#types[this.#count] = PRUNED;
    this.#count += 1;
  }

  /** Commit that holds the first entry of the bundle in which `seq` lies. */
  commitOfBundle(seq: number): number {
    return this.#commits[Math.floor((seq - this.firstSeq) / TILE_WIDTH)] ?? 0;
  }

  /** What the block says of its entry number `at`. */
  at(at: number): { readonly type: number; readonly eventUs: number } {
    return { type: this.#types[at] ?? PRUNED, eventUs: this.#times[at] ?? 0 };
  }

  /** GPU of each entry; undefined for those of none. */
  gpus(): (string | undefined)[] {
    const gpus = new Array<string | undefined>(BLOCK_ENTRIES);
    for (const [gpu, posted] of this.#postings) for (const at of posted) gpus[at] = gpu;
    return gpus;
  }

  /** Seqs in ascending order that match; `toSeq` and `endUs` are exclusive. */
  matches(filter: IndexFilter): number[] {
    if (isOutside(filter, this.#span)) return [];
    const from = Math.max(filter.fromSeq - this.firstSeq, 0);
    const to = Math.min(filter.toSeq - this.firstSeq, this.#count);
    const found: number[] = [];
    for (const at of this.#candidates(filter.gpu, from, to)) {
      if (this.#types[at] === PRUNED) continue;
      const time = this.#times[at] ?? 0;
      const typed = filter.type === undefined || this.#types[at] === filter.type;
      if (typed && time >= filter.startUs && time < filter.endUs) found.push(this.firstSeq + at);
    }
    return found;
  }

  encode(): Buffer {
    if (!this.full) throw new Error('only a full index block is stored');
    const names = [...this.#postings].map(([gpu, posted]) => ({ name: Buffer.from(gpu), posted }));
    const dictionaryBytes = names.reduce((sum, { name }) => sum + 1 + name.length + 4, 0);
    const postingBytes = names.reduce((sum, { posted }) => sum + 2 * posted.length, 0);
    const bytes = Buffer.alloc(DICTIONARY_AT + dictionaryBytes + postingBytes + HASH_BYTES);
    bytes.set(MAGIC);
    bytes.writeBigUInt64BE(BigInt(this.firstSeq), 4);
    bytes.writeUInt32BE(names.length, 12);
    bytes.writeUInt32BE(dictionaryBytes, 16);
    this.#commits.forEach((commit, i) => bytes.writeBigUInt64BE(BigInt(commit), HEADER_BYTES + 8 * i));
    bytes.set(this.#types, TYPES_AT);
    this.#times.forEach((time, i) => bytes.writeBigUInt64BE(BigInt(time), TIMES_AT + 8 * i));
    writePostings(bytes, dictionaryBytes, names);
    bytes.set(sha256(bytes.subarray(0, -HASH_BYTES)), bytes.length - HASH_BYTES);
    return bytes;
  }

  static decode(bytes: Buffer): IndexBlock {
    assertIntactBlock(bytes);
    const gpuOf = postingsIn(bytes);
    const block = new IndexBlock(Number(bytes.readBigUInt64BE(4)));
    for (let at = 0; at < BLOCK_ENTRIES; at += 1) {
      const type = bytes.readUInt8(TYPES_AT + at);
      if (type === PRUNED) {
        block.addPruned();
        continue;
      }
      if (!isLeafType(type)) throw new MalformedIndexError('index block holds an unknown type');
      const eventUs = Number(bytes.readBigUInt64BE(TIMES_AT + 8 * at));
      const commit = Number(bytes.readBigUInt64BE(HEADER_BYTES + 8 * Math.floor(at / TILE_WIDTH)));
      block.add({ type, eventUs, gpu: gpuOf.get(at) ?? '' }, commit);
    }
    return block;
  }

  #post(gpu: string, at: number): void {
    const posted = this.#postings.get(gpu);
    if (posted === undefined) this.#postings.set(gpu, [at]);
    else posted.push(at);
  }

  *#candidates(gpu: string, from: number, to: number): Generator<number> {
    if (gpu === '') {
      for (let at = from; at < to; at += 1) yield at;
      return;
    }
    for (const at of this.#postings.get(gpu) ?? []) if (at >= from && at < to) yield at;
  }
}

/** @throws MalformedIndexError where a bit of an encoded block is not as it was written */
export function assertIntactBlock(bytes: Buffer): void {
  const intact =
    bytes.length >= DICTIONARY_AT + HASH_BYTES &&
    bytes.subarray(0, 4).equals(MAGIC) &&
    sha256(bytes.subarray(0, -HASH_BYTES)).equals(bytes.subarray(-HASH_BYTES));
  if (!intact) throw new MalformedIndexError('index block is damaged');
}

export interface IndexFilter {
  /** Empty: every entry. */
  readonly gpu: string;
  readonly type: LeafType | undefined;
  readonly startUs: number;
  readonly endUs: number;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** Event times, both inclusive. */
export interface TimeSpan {
  readonly first: number;
  readonly last: number;
}

export function isOutside(
  { startUs, endUs }: Pick<IndexFilter, 'startUs' | 'endUs'>,
  span: TimeSpan | undefined,
): boolean {
  return span !== undefined && (startUs > span.last || endUs <= span.first);
}

interface Posted {
  readonly name: Buffer;
  readonly posted: readonly number[];
}

function writePostings(bytes: Buffer, dictionaryBytes: number, names: readonly Posted[]): void {
  let entry = DICTIONARY_AT;
  let posting = DICTIONARY_AT + dictionaryBytes;
  for (const { name, posted } of names) {
    bytes[entry] = name.length;
    bytes.set(name, entry + 1);
    entry = bytes.writeUInt32BE(posted.length, entry + 1 + name.length);
    for (const at of posted) posting = bytes.writeUInt16BE(at, posting);
  }
}

/** @throws MalformedIndexError where lengths lead out of the block, whatever its digest says */
function postingsIn(bytes: Buffer): Map<number, string> {
  try {
    return readPostings(bytes);
  } catch (cause) {
    if (cause instanceof RangeError) throw new MalformedIndexError('index block is damaged', { cause });
    throw cause;
  }
}

function readPostings(bytes: Buffer): Map<number, string> {
  const gpuOf = new Map<number, string>();
  let entry = DICTIONARY_AT;
  let posting = DICTIONARY_AT + bytes.readUInt32BE(16);
  for (let gpu = bytes.readUInt32BE(12); gpu > 0; gpu -= 1) {
    const nameEnd = entry + 1 + bytes.readUInt8(entry);
    const name = bytes.toString('utf8', entry + 1, nameEnd);
    for (let left = bytes.readUInt32BE(nameEnd); left > 0; left -= 1, posting += 2)
      gpuOf.set(bytes.readUInt16BE(posting), name);
    entry = nameEnd + 4;
  }
  return gpuOf;
}
