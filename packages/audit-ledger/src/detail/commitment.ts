/** Salted commitment to a detail, so that a pruned low-entropy detail cannot be guessed. */
import { sha256 } from '../tree/hash.js';

export const SALT_BYTES = 16;
export const COMMIT_PREFIX = 0x02;

/** What is hashed, and what is stored: 0x02 | salt | detail. */
export function commitmentPreimage(salt: Uint8Array, detail: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([COMMIT_PREFIX]), salt, detail]);
}

export function preimageOf(opening: Opening): Uint8Array {
  return opening.preimage ?? commitmentPreimage(opening.salt, opening.detail);
}

interface Opening {
  readonly salt: Uint8Array;
  readonly detail: Uint8Array;
  readonly preimage?: Uint8Array;
}

/** SHA-256(0x02 | salt | detail). */
export function commitDetail(salt: Uint8Array, detail: Uint8Array): Buffer {
  return sha256(commitmentPreimage(salt, detail));
}
