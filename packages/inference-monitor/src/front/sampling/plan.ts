import type { Head } from '../http1/head.js';
import { contentCoding } from './content-coding.js';

/** What is done with one sampled request. Transports know no more than this. */
export interface Plan {
  /** Goes to the server in place of the body; null = the body goes as it is. */
  readonly body: Buffer | null;
  /** Once the head of the answer is there; after `again`, that of the answer to the original, which is not asked again. */
  answer(status: number, headers: Head['headers']): Reading;
  /** The server ended the connection instead of answering. @returns whether it is to be sent the original, once */
  unanswered(): boolean;
  /** The answer did not come to its end. */
  abandon(): void;
}

export type Reading =
  /** The server does not take the changed request: the original is sent, once; why is looked at. */
  | { readonly kind: 'again'; readonly push: (data: Buffer) => void }
  /** Passes as it is. */
  | { readonly kind: 'pass' }
  /** Passes as it comes, and is looked at. */
  | {
      readonly kind: 'watch';
      readonly push: (data: Buffer) => void;
      readonly end: () => void;
      /** Bytes that are kept of it. */
      readonly held?: () => number;
    }
  /** The body is needed whole; `rewrite` gives what the client gets. */
  | { readonly kind: 'whole'; readonly rewrite: (body: Buffer) => Buffer }
  /** The body is rewritten as it comes. */
  | { readonly kind: 'stream'; readonly push: (data: Buffer) => Buffer; readonly end: () => Buffer };

/** Bytes that are kept of an answer to look at it. */
export function heldBy(reading: Reading | null): number {
  return reading?.kind === 'watch' ? (reading.held?.() ?? 0) : 0;
}

export interface SampledRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Head['headers'];
  readonly body: Buffer;
}

/** Why a request that was drawn passes unsampled: nobody is certain what the client would get. */
export type Doubt =
  | 'route'
  | 'coding'
  | 'too_large'
  | 'slow'
  | 'malformed'
  | 'conflict'
  | 'unknown_shape'
  | 'refused'
  | 'overloaded'
  | 'answer';

/** Draws requests and knows what to do with them. */
export interface Sampling {
  /** A request begins. @returns true where it is drawn */
  draw(): boolean;
  /** From the head alone. @returns why it passes unsampled */
  admit(method: string, path: string, headers: Head['headers']): Doubt | null;
  /** @returns null where it passes unsampled, which was counted */
  plan(request: SampledRequest): Plan | null;
  /** The server is away. */
  forget(): void;
  /** A request that was drawn passes unsampled. */
  doubt(reason: Doubt): void;
}

export function hasTrailers(headers: Head['headers']): boolean {
  return headers.some(([name]) => name === 'trailer');
}

/** The body cannot be written anew: it is compressed, or has trailers. */
export function isOpaque(headers: Head['headers']): boolean {
  return hasTrailers(headers) || !['', 'identity'].includes(contentCoding(headers));
}

/** Of an answer, whose values depend on its body. */
const SIGNATURES: ReadonlySet<string> = new Set([
  'content-digest',
  'content-md5',
  'digest',
  'etag',
  'repr-digest',
  'signature',
  'signature-input',
]);

/** What is said of the body would not fit another one (RFC 9530, RFC 9421). */
export function isSigned(headers: Head['headers']): boolean {
  return headers.some(([name]) => SIGNATURES.has(name));
}

/** A drawn request that takes longer to come passes unsampled. */
export const HOLD_MS = 5_000;
/** Largest answer that is put together; a larger one passes with what was asked for in addition. */
export const MAX_WHOLE_BYTES = 32 * 1024 * 1024;
/** Largest body of a request that is sampled. */
export const MAX_SAMPLED_BODY_BYTES = 1_048_576;
