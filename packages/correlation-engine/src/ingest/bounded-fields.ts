import { invalid } from '../control/handshake.js';

/** The limits of proto/sentinel/v1/anomaly.proto. */
const DIGEST_BYTES = { least: 4, most: 64 };
const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** A digest as the core has it: lower-case hexadecimal digits. @throws SentinelError INVALID_ARGUMENT naming the field */
export function digestOf(digest: Uint8Array, at: string): string {
  const { least, most } = DIGEST_BYTES;
  if (digest.length < least || digest.length > most) throw invalid(at, `must have ${least} to ${most} bytes`);
  return Buffer.from(digest).toString('hex');
}

/** A count as a number that holds it exactly. @throws SentinelError INVALID_ARGUMENT naming the field */
export function countOf(count: bigint, at: string): number {
  if (count > MAX_COUNT) throw invalid(at, `is more than ${MAX_COUNT}`);
  return Number(count);
}
