import type { SavedCheckpoint, SavedPart } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { hasControlCharacter, invalid } from '../control/handshake.js';
import type { SavedCheckpointRecord } from '../core.js';

/** The limits of proto/sentinel/v1/anomaly.proto. */
const MAX_PATH_BYTES = 1024;
const MAX_PARTS = 64;
const DIGEST_BYTES = { least: 4, most: 64 };
const ALGORITHM = /^[a-z0-9-]{1,64}$/;
const MAX_COUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** @throws SentinelError INVALID_ARGUMENT naming the field */
export function savedOf(
  { path, algorithm, parts, moreParts }: SavedCheckpoint,
  at: string,
): Pick<SavedCheckpointRecord, 'path' | 'algorithm' | 'parts' | 'moreParts'> {
  if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalid(`${at}.path`, `must be 1 to ${MAX_PATH_BYTES} bytes`);
  if (hasControlCharacter(path)) throw invalid(`${at}.path`, 'has a control character');
  if (!ALGORITHM.test(algorithm)) throw invalid(`${at}.algorithm`, 'must be 1 to 64 of a-z, 0-9 and "-"');
  if (parts.length < 1 || parts.length > MAX_PARTS) throw invalid(`${at}.parts`, `must be 1 to ${MAX_PARTS}`);
  return { path, algorithm, parts: parts.map((part, i) => partOf(part, `${at}.parts[${i}]`)), moreParts };
}

function partOf({ rank, digest, tensors, bytes }: SavedPart, at: string): SavedCheckpointRecord['parts'][number] {
  const { least, most } = DIGEST_BYTES;
  if (digest.length < least || digest.length > most)
    throw invalid(`${at}.digest`, `must have ${least} to ${most} bytes`);
  if (tensors > MAX_COUNT) throw invalid(`${at}.tensors`, `is more than ${MAX_COUNT}`);
  if (bytes > MAX_COUNT) throw invalid(`${at}.bytes`, `is more than ${MAX_COUNT}`);
  return { rank, digest: Buffer.from(digest).toString('hex'), tensors: Number(tensors), bytes: Number(bytes) };
}
