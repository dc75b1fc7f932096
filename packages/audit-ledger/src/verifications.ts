/**
 * Verifications of what is stored that callers ask for. Each reads the whole log as fast as it can: one at a time, those who
 * ask for the same share a run, and few may wait.
 */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { VerifierKey } from './note/keys.js';
import type { StoredLog } from './storage/backend.js';
import type { Turns } from './turns.js';
import { type VerifyReport, verifyLog } from './verify/verify-log.js';

/** Of different depths, the one under way included. */
export const MAX_VERIFICATIONS = 4;
const RETRY_MS = 10_000;

/** @param depth newest entries; 0 = all */
export type Verify = (depth: number) => Promise<VerifyReport>;

export function verifier(
  openSource: () => Promise<StoredLog>,
  key: VerifierKey,
  verified: (report: VerifyReport) => void,
  turns: Turns,
): Verify {
  /** By depth, those that have not begun: one under way may have passed what a new caller asks about. */
  const waiting = new Map<number, Promise<VerifyReport>>();
  let runs = 0;
  const begin = (depth: number): Promise<VerifyReport> => {
    if (runs >= MAX_VERIFICATIONS) throw tooMany();
    runs += 1;
    const run = turns.take(async () => {
      waiting.delete(depth);
      const source = await openSource();
      const report = await verifyLog(source, key, depth === 0 ? {} : { depth }).finally(() => source.close());
      verified(report);
      return report;
    });
    const counted = run.finally(() => {
      runs -= 1;
    });
    waiting.set(depth, counted);
    return counted;
  };
  return async (depth) => await (waiting.get(depth) ?? begin(depth));
}

function tooMany(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `${MAX_VERIFICATIONS} verifications of other depths wait already`,
    retryAfterMs: RETRY_MS,
    hint: 'Ask again later, or verify from what the ledger publishes: sentinel audit verify.',
  });
}
