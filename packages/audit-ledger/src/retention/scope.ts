/** Which entries a legal hold speaks of, and so which ones a pruning leaves alone. */
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import type { JsonValue } from '../detail/canonical.js';
import type { Leaf } from '../leaf/leaf.js';

/** Every member that is set must fit; at least one is. */
export interface Scope {
  /** Empty: any. */
  readonly gpu: string;
  /** Empty: any. */
  readonly producer: string;
  /** Event time, microseconds since the Unix epoch, [fromUs, toUs); 0 = open. */
  readonly fromUs: number;
  readonly toUs: number;
}

export type PrunableLeaf = Pick<Leaf, 'producer' | 'gpu' | 'eventUs'>;

export function covers(scope: Scope, leaf: PrunableLeaf): boolean {
  return (
    (scope.gpu === '' || scope.gpu === leaf.gpu) &&
    (scope.producer === '' || scope.producer === leaf.producer) &&
    leaf.eventUs >= scope.fromUs &&
    (scope.toUs === 0 || leaf.eventUs < scope.toUs)
  );
}

/** What no pruning takes: the ledger's own entries (genesis, seals, prunings, holds, ...) and what is held. */
export function keeps(scopes: readonly Scope[], leaf: PrunableLeaf): boolean {
  return leaf.producer === LEDGER_PRODUCER || scopes.some((scope) => covers(scope, leaf));
}

/** Whether each of `some` is among `all`. */
export function isSubset(some: readonly Scope[], all: readonly Scope[]): boolean {
  const known = new Set(all.map((scope) => JSON.stringify(scope)));
  return some.every((scope) => known.has(JSON.stringify(scope)));
}

export function scopeJson({ gpu, producer, fromUs, toUs }: Scope): { readonly [name: string]: JsonValue } {
  return { from_us: fromUs, gpu, producer, to_us: toUs };
}

/** Undefined for anything that `scopeJson` would not write. */
export function scopeOf(value: unknown): Scope | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { gpu, producer, from_us: fromUs, to_us: toUs } = value as { readonly [name: string]: unknown };
  if (typeof gpu !== 'string' || typeof producer !== 'string' || !isTime(fromUs) || !isTime(toUs)) return undefined;
  return { gpu, producer, fromUs, toUs };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
