import type { SavedCheckpoint, SavedPart } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { hasControlCharacter, invalid } from '../control/handshake.js';
import type { StoredCheckpointRecord } from '../core.js';
import { countOf, digestOf } from './bounded-fields.js';

/** The limits of proto/sentinel/v1/anomaly.proto. */
const MAX_PATH_BYTES = 1024;
const MAX_PARTS = 64;
const ALGORITHM = /^[a-z0-9-]{1,64}$/;

/** @throws SentinelError INVALID_ARGUMENT naming the field */
export function storedOf(
  { path, algorithm, parts, moreParts }: SavedCheckpoint,
  at: string,
): Pick<StoredCheckpointRecord, 'path' | 'algorithm' | 'parts' | 'moreParts'> {
  if (path === '' || Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalid(`${at}.path`, `must be 1 to ${MAX_PATH_BYTES} bytes`);
  if (hasControlCharacter(path)) throw invalid(`${at}.path`, 'has a control character');
  if (!ALGORITHM.test(algorithm)) throw invalid(`${at}.algorithm`, 'must be 1 to 64 of a-z, 0-9 and "-"');
  if (parts.length < 1 || parts.length > MAX_PARTS) throw invalid(`${at}.parts`, `must be 1 to ${MAX_PARTS}`);
  return { path, algorithm, parts: parts.map((part, i) => partOf(part, `${at}.parts[${i}]`)), moreParts };
}

function partOf(
  { rank, digest, subject, tensors, bytes }: SavedPart,
  at: string,
): StoredCheckpointRecord['parts'][number] {
  const counts = { tensors: countOf(tensors, `${at}.tensors`), bytes: countOf(bytes, `${at}.bytes`) };
  const of = subject.length === 0 ? {} : { subject: digestOf(subject, `${at}.subject`) };
  return { rank, digest: digestOf(digest, `${at}.digest`), ...of, ...counts };
}
