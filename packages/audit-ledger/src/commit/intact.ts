/**
 * What two computations agreed on must still be what is committed and signed: memory may flip while a batch waits for the
 * disk, and whatever it was that flipped, the second path has a copy of its own.
 */
import { crc32 } from 'node:zlib';
import type { Head } from '../storage/head.js';
import type { Batch } from './build.js';
import { DivergenceError } from './divergence.js';
import type { Recomputed } from './recompute.js';

/** Any flipped bit changes it; taken before the second path reads the bytes. */
export interface Checksums {
  readonly entries: number;
  readonly details: number;
}

export function checksumsOf({ entries, details }: Batch): Checksums {
  return { entries: crc32(entries), details: crc32(details) };
}

/** @throws DivergenceError where something of the batch, or of the head that shall speak of it, is not what was agreed on */
export function assertIntact(batch: Batch, sums: Checksums, again: Recomputed, head: Head): void {
  const now = checksumsOf(batch);
  const intact =
    now.entries === sums.entries &&
    now.details === sums.details &&
    head.commits === batch.header.commit + 1 &&
    head.size === again.next.size &&
    head.receivedUs === again.next.receivedUs &&
    same(head.chainHead, again.next.chainHead) &&
    same(head.root, again.root) &&
    sameNodes(batch, again);
  if (!intact) throw new DivergenceError('a batch changed in memory after two computations agreed on it');
}

export function sameNodes({ columns }: Batch, again: Recomputed): boolean {
  return columns.length === again.columns.length && columns.every((column, i) => same(column, again.columns[i]));
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
