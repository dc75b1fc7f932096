/** RFC 6962 §2.1 hashes with domain separation: 0x00 before a leaf, 0x01 before two nodes. */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
export const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');
export const ZERO_HASH: Buffer = Buffer.alloc(HASH_BYTES);

const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

/** What `write` ends in for this encoding; every Buffer has it, the type does not say so. */
type Latin1Buffer = Buffer & { latin1Write(text: string, offset: number, length: number): number };

/**
 * Writes SHA-256(input) into `into`. A binary (latin1) string out of node:crypto and back costs a third of a Buffer digest,
 * and hashing is what bounds the ledger's throughput.
 */
export function hashInto(input: Uint8Array, into: Buffer, offset: number): void {
  (into as Latin1Buffer).latin1Write(hash('sha256', input, 'binary'), offset, HASH_BYTES);
}

/** SHA-256(input). */
export function sha256(input: Uint8Array): Buffer {
  const digest = Buffer.allocUnsafe(HASH_BYTES);
  hashInto(input, digest, 0);
  return digest;
}

export function leafHash(leaf: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + leaf.length);
  input[0] = LEAF_PREFIX;
  input.set(leaf, 1);
  return sha256(input);
}

/** Writes the hash of the node over `left` and `right`; `into` may overlap either. */
export function nodeHashInto(left: Uint8Array, right: Uint8Array, into: Buffer, offset: number): void {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  hashInto(nodeInput, into, offset);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const node = Buffer.allocUnsafe(HASH_BYTES);
  nodeHashInto(left, right, node, 0);
  return node;
}
