import { type ErrorCode, SentinelError } from '@sentinel/service-kit/errors';
import { hasControlCharacter } from '../control/handshake.js';
import type { Refusal } from '../core.js';

export const MAX_ID_BYTES = 128;
export const MAX_REASON_BYTES = 1024;
export const MAX_EVIDENCE = 16;
export const MAX_EVIDENCE_BYTES = 256;

const CODES: Readonly<Record<Refusal['code'], ErrorCode>> = {
  NOT_FOUND: 'NOT_FOUND',
  ILLEGAL_TRANSITION: 'FAILED_PRECONDITION',
  CONFLICT: 'ALREADY_EXISTS',
  EXPIRED: 'FAILED_PRECONDITION',
  SECOND_PERSON_NEEDED: 'PERMISSION_DENIED',
};

/** A text that an operator has to give, and that others will read on their terminals. @throws SentinelError INVALID_ARGUMENT */
export function checkText(field: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > maxBytes) throw invalid(field, `must have 1 to ${maxBytes} bytes`);
  if (text.trim() === '') throw invalid(field, 'must say something');
  if (!text.isWellFormed()) throw invalid(field, 'must be text');
  if (hasControlCharacter(text)) throw invalid(field, 'must have no control characters, nor line breaks');
}

/** Ids, links or words that an operator may give, bounded. @throws SentinelError INVALID_ARGUMENT naming the entry */
export function checkEvidence(entries: readonly string[]): void {
  if (entries.length > MAX_EVIDENCE) throw invalid('evidence', `must have at most ${MAX_EVIDENCE} entries`);
  for (const [i, entry] of entries.entries()) checkText(`evidence[${i}]`, entry, MAX_EVIDENCE_BYTES);
}

export function invalid(field: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${hint}`, field });
}

/** What the core refused, as the caller hears it. */
export function refused(refusal: Refusal, subject: 'gpu' | 'directive_id' | 'incident'): SentinelError {
  const { code, message, hint, field = subject } = refusal;
  return new SentinelError({ code: CODES[code], reason: code, message, field, hint });
}
