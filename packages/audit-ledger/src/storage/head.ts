/**
 * The head: the one small record whose replacement is the commit. Canonical JSON and its SHA-256, one line each, so that
 * a flipped bit anywhere in it is seen.
 */
import { canonicalJson, type JsonValue } from '../detail/canonical.js';
import type { ProducerMark } from '../ingest/producers.js';
import { EMPTY_ROOT, HASH_BYTES, sha256, ZERO_HASH } from '../tree/hash.js';

const FORMAT = 1;

/** Entries that are found again from the head: it names the newest of each kind, and each names the one before it. */
export const LANDMARKS = ['prune', 'hold', 'key_rotation'] as const;
export type Landmark = (typeof LANDMARKS)[number];
export type Landmarks = Readonly<Partial<Record<Landmark, number>>>;

export interface Head {
  /** Rises by one with every swap; the key of the compare-and-swap. */
  readonly generation: number;
  /** Rises by one with every writer. */
  readonly epoch: number;
  /** Commits so far; the records beyond are not part of the log. */
  readonly commits: number;
  readonly size: number;
  readonly chainHead: Uint8Array;
  readonly root: Uint8Array;
  readonly receivedUs: number;
  /** Batch that made this head. */
  readonly batchId: Uint8Array;
  /** First commit whose entries no seal covers. */
  readonly firstUnsealedCommit: number;
  readonly producers: readonly ProducerMark[];
  readonly landmarks: Landmarks;
}

/** Of a log that nobody has written yet. */
export const EMPTY_HEAD: Head = {
  generation: 0,
  epoch: 0,
  commits: 0,
  size: 0,
  chainHead: ZERO_HASH,
  root: EMPTY_ROOT,
  receivedUs: 0,
  batchId: Buffer.alloc(16),
  firstUnsealedCommit: 0,
  producers: [],
  landmarks: {},
};

export class MalformedHeadError extends Error {
  override readonly name = 'MalformedHeadError';
}

/** `more` is what a backend adds under names of its own. */
export function encodeHead(head: Head, more: { readonly [name: string]: JsonValue } = {}): Buffer {
  return encodeDigested({
    ...more,
    format: FORMAT,
    generation: head.generation,
    epoch: head.epoch,
    commits: head.commits,
    size: head.size,
    chain_head: hex(head.chainHead),
    root: hex(head.root),
    received_us: head.receivedUs,
    batch_id: hex(head.batchId),
    first_unsealed_commit: head.firstUnsealedCommit,
    producers: head.producers.map(({ producer, epoch, sequence }) => ({ producer, epoch, sequence })),
    landmarks: { ...head.landmarks },
  });
}

/** Canonical JSON and its SHA-256, one line each. */
export function encodeDigested(value: JsonValue): Buffer {
  const json = canonicalJson(value);
  return Buffer.from(`${json}\n${hex(sha256(Buffer.from(json)))}\n`);
}

/** All members of an intact head. */
export function decodeHeadFields(bytes: Uint8Array): { readonly [name: string]: unknown } {
  const value = decodeDigested(bytes, 'head');
  if (value['format'] !== FORMAT) throw new MalformedHeadError(`head has unknown format ${String(value['format'])}`);
  return value;
}

/** What `encodeDigested` gave, called `what` where it is damaged. */
export function decodeDigested(bytes: Uint8Array, what: string): { readonly [name: string]: unknown } {
  const text = Buffer.from(bytes).toString('utf8');
  const [json = '', digest, end, ...rest] = text.split('\n');
  const intact = digest === hex(sha256(Buffer.from(json))) && end === '' && rest.length === 0;
  if (!intact) throw new MalformedHeadError(`${what} does not match its digest`);
  return JSON.parse(json) as { [key: string]: unknown };
}

export function headOf(value: { readonly [name: string]: unknown }): Head {
  return {
    generation: count(value, 'generation'),
    epoch: count(value, 'epoch'),
    commits: count(value, 'commits'),
    size: count(value, 'size'),
    chainHead: octets(value, 'chain_head', HASH_BYTES),
    root: octets(value, 'root', HASH_BYTES),
    receivedUs: count(value, 'received_us'),
    batchId: octets(value, 'batch_id', 16),
    firstUnsealedCommit: count(value, 'first_unsealed_commit'),
    producers: producersOf(value['producers']),
    landmarks: landmarksOf(value['landmarks']),
  };
}

/** Heads of the first version have none. */
export function landmarksOf(value: unknown): Landmarks {
  if (typeof value !== 'object' || value === null) return {};
  const named = value as { readonly [name: string]: unknown };
  const kinds = LANDMARKS.filter((kind) => named[kind] !== undefined);
  return Object.fromEntries(kinds.map((kind) => [kind, count(named, kind)]));
}

export function producersOf(value: unknown): ProducerMark[] {
  if (!Array.isArray(value)) throw new MalformedHeadError('head lacks producers');
  return value.map((mark: { [key: string]: unknown }) => {
    if (typeof mark['producer'] !== 'string') throw new MalformedHeadError('head has a producer without a name');
    return { producer: mark['producer'], epoch: count(mark, 'epoch'), sequence: count(mark, 'sequence') };
  });
}

export function count(from: { readonly [key: string]: unknown }, name: string): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new MalformedHeadError(`head has no ${name}`);
  return value;
}

function octets(from: { readonly [key: string]: unknown }, name: string, length: number): Buffer {
  const value = from[name];
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'hex');
  if (bytes.length !== length) throw new MalformedHeadError(`head has no ${name}`);
  return bytes;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
