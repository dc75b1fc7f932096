/** The entry that comes before a pruning: exactly what is taken away, so that nothing else can be missing unnoticed. */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../detail/canonical.js';
import { keeps, type PrunableLeaf, type Scope, scopeJson, scopeOf } from './scope.js';

/** Of every entry below these ends, leaf or detail is gone, unless the ledger wrote it or a hold kept it. */
export interface PrunedEnds {
  /** Never above `details`. */
  readonly leaves: number;
  readonly details: number;
}

/** Leaves below the end that were kept: a verifier, who does not see the others, could not tell that one is missing. */
export interface KeptLeaves {
  readonly count: number;
  /** SHA-256 over their seqs as u64be, hexadecimal. */
  readonly digest: string;
}

export interface Pruning extends PrunedEnds {
  /** Entry that says so. */
  readonly seq: number;
  /** Holds in force. */
  readonly scopes: readonly Scope[];
  /** Absent where no leaf is pruned. */
  readonly kept: KeptLeaves | undefined;
}

/** As a store remembers it. */
export interface Pruned extends PrunedEnds {
  /** Seqs of the entries that announced it, without those that a later one repeats. */
  readonly prunings: readonly number[];
}

/** Digest over seqs in ascending order. */
export class KeptDigest {
  #count = 0;
  readonly #hash = createHash('sha256');

  add(seq: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(seq));
    this.#hash.update(bytes);
    this.#count += 1;
  }

  value(): KeptLeaves {
    return { count: this.#count, digest: this.#hash.copy().digest('hex') };
  }
}

export function pruningJson(pruning: Omit<Pruning, 'seq'>): { readonly [name: string]: JsonValue } {
  const { details, leaves, scopes, kept } = pruning;
  return {
    details_end: details,
    holds: scopes.map(scopeJson),
    ...(kept === undefined ? {} : { kept_count: kept.count, kept_digest: kept.digest }),
    leaves_end: leaves,
    phase: 'intent',
  };
}

/** Undefined for any other detail. */
export function pruningOf(seq: number, detail: { readonly [name: string]: unknown }): Pruning | undefined {
  const { event, phase, details_end: details, leaves_end: leaves, holds } = detail;
  if (event !== 'prune' || phase !== 'intent' || !isEnd(details) || !isEnd(leaves) || !Array.isArray(holds))
    return undefined;
  const scopes = holds.map(scopeOf);
  if (leaves > details || details > seq || !scopes.every((scope) => scope !== undefined)) return undefined;
  const { kept_count: count, kept_digest: digest } = detail;
  const kept = typeof count === 'number' && typeof digest === 'string' ? { count, digest } : undefined;
  return { seq, details, leaves, scopes, kept };
}

/** The same of the bytes of a detail. */
export function pruningIn(seq: number, detail: Uint8Array): Pruning | undefined {
  try {
    return pruningOf(seq, JSON.parse(Buffer.from(detail).toString('utf8')) as { [name: string]: unknown });
  } catch {
    return undefined;
  }
}

/** The pruning by which the detail of an entry may be missing. */
export function prunedBy<T extends Pruning>(prunings: readonly T[], seq: number, leaf: PrunableLeaf): T | undefined {
  return prunings.find((each) => seq < each.details && seq < each.seq && !keeps(each.scopes, leaf));
}

function isEnd(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
