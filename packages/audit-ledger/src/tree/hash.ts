/** RFC 6962 §2.1 hashes with domain separation: 0x00 before a leaf, 0x01 before two nodes. */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
export const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');
export const ZERO_HASH: Buffer = Buffer.alloc(HASH_BYTES);

/**
 * A hash as a binary (latin1) string of 32 characters. It comes out of node:crypto and goes into a buffer at a third of what
 * a Buffer digest costs, and hashing is what bounds the ledger's throughput.
 */
export type Digest = string;

/** Every Buffer has these; the type does not say so. */
type Latin1Buffer = Buffer & {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
};

/** Room for a leaf and its prefix; longer ones are not leaves, but are hashed all the same. */
const leafInput = Buffer.alloc(1024, LEAF_PREFIX);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX) as Latin1Buffer;

/** SHA-256(input). */
export function digest(input: Uint8Array): Digest {
  return hash('sha256', input, 'binary');
}

/** Hash of the node over two others. */
export function nodeDigest(left: Digest, right: Digest): Digest {
  nodeInput.latin1Write(left, 1, HASH_BYTES);
  nodeInput.latin1Write(right, 1 + HASH_BYTES, HASH_BYTES);
  return hash('sha256', nodeInput, 'binary');
}

export function writeDigest(text: Digest, into: Buffer, offset: number): void {
  (into as Latin1Buffer).latin1Write(text, offset, HASH_BYTES);
}

/** The hash whose bytes lie at `offset`. */
export function digestAt(bytes: Buffer, offset: number): Digest {
  return (bytes as Latin1Buffer).latin1Slice(offset, offset + HASH_BYTES);
}

export function digestOf(bytes: Uint8Array): Digest {
  return digestAt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}

export function digestBytes(text: Digest): Buffer {
  return Buffer.from(text, 'latin1');
}

/** SHA-256(input). */
export function sha256(input: Uint8Array): Buffer {
  return digestBytes(digest(input));
}

export function leafHash(leaf: Uint8Array): Buffer {
  return digestBytes(leafDigest(leaf));
}

export function leafDigest(leaf: Uint8Array): Digest {
  const room = 1 + leaf.length <= leafInput.length ? leafInput : Buffer.alloc(1 + leaf.length, LEAF_PREFIX);
  room.set(leaf, 1);
  return digest(room.subarray(0, 1 + leaf.length));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}
