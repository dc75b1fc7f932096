/** What verifications have found so far: an entry stays damaged until a later verification of it finds nothing. */

import type { VerifyReport } from '../verify/verify-log.js';
import { MAX_FINDINGS } from '../verify/walker.js';

export interface VerifiedPart {
  /** Checkpoint up to which everything was verified, as a signed note; undefined before the first time. */
  readonly note: string | undefined;
  readonly size: number;
  /** When that was, milliseconds since the Unix epoch; 0 = never. */
  readonly atMs: number;
  /** Entries that are not what was logged. */
  readonly damaged: readonly number[];
  /** Where the scrub goes on. */
  readonly scrubNext: number;
}

export const NEVER_VERIFIED: VerifiedPart = { note: undefined, size: 0, atMs: 0, damaged: [], scrubNext: 0 };

export class Condition {
  #part: VerifiedPart;

  constructor(part: VerifiedPart = NEVER_VERIFIED) {
    this.#part = part;
  }

  get part(): VerifiedPart {
    return this.#part;
  }

  get intact(): boolean {
    return this.#part.damaged.length === 0;
  }

  take({ firstSeq, entries, findings, found }: VerifyReport): void {
    const outside = this.#part.damaged.filter((seq) => seq < firstSeq || seq >= firstSeq + entries);
    // A log that could not be opened at all has no range.
    const now = found > 0 && findings.length === 0 ? [firstSeq] : findings.map(({ seq }) => seq);
    const damaged = [...new Set([...outside, ...now])].sort((a, b) => a - b).slice(0, MAX_FINDINGS);
    this.#part = { ...this.#part, damaged };
  }

  verifiedUpTo(note: string, size: number, atMs: number): void {
    this.#part = { ...this.#part, note, size, atMs };
  }

  scrubbedUpTo(scrubNext: number): void {
    this.#part = { ...this.#part, scrubNext };
  }
}
