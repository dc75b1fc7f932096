import { createHash } from 'node:crypto';
import xxhash from 'xxhash-wasm';

export type Algorithm = 'xxhash' | 'sha256';

/** Digest as lower-case hexadecimal digits. */
export type Hash = (bytes: Uint8Array) => string;

const HEX_DIGITS_OF_64_BITS = 16;

export async function hashBy(algorithm: Algorithm): Promise<Hash> {
  if (algorithm === 'sha256') return sha256;
  const { h64Raw } = await xxhash();
  return (bytes) => h64Raw(bytes).toString(16).padStart(HEX_DIGITS_OF_64_BITS, '0');
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What a model answered, as far as it can be compared. */
export interface ModelAnswer {
  /** Numbers of the tokens that were chosen, or hashes of their texts, below 2^32. */
  readonly tokens: readonly number[];
  /** Natural logarithms of the probabilities of tokens of the prompt and of the answer, exactly as the server printed them. */
  readonly values: readonly number[];
  /** Output tensors, in a form that is the same for the same bits. */
  readonly outputs?: Uint8Array;
}

/** Equal where every token, every bit of every value, and every output are. */
export function digestOf(hash: Hash, { tokens, values, outputs }: ModelAnswer): string {
  const numbers = new DataView(new ArrayBuffer(8 + 4 * tokens.length + 8 * values.length));
  numbers.setUint32(0, tokens.length, true);
  numbers.setUint32(4, values.length, true);
  for (const [i, token] of tokens.entries()) numbers.setUint32(8 + 4 * i, token, true);
  // Whatever kind of not a number it is.
  for (const [i, value] of values.entries())
    numbers.setFloat64(8 + 4 * tokens.length + 8 * i, Number.isNaN(value) ? Number.NaN : value, true);
  return hash(Buffer.concat([Buffer.from(numbers.buffer), outputs ?? Buffer.alloc(0)]));
}

/** 32 bits of a text (FNV-1a), for a token of which the server tells no number. */
export function textNumber(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
