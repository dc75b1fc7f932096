/** Verifications of what is stored, one at a time: each reads as fast as it can. */
import type { VerifierKey } from './note/keys.js';
import type { StoredLog } from './storage/backend.js';
import type { Turns } from './turns.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from './verify/verify-log.js';

export function verifier(
  openSource: () => Promise<StoredLog>,
  key: VerifierKey,
  verified: (report: VerifyReport) => void,
  turns: Turns,
): (options: VerifyOptions) => Promise<VerifyReport> {
  return (options) =>
    turns.take(async () => {
      const source = await openSource();
      const report = await verifyLog(source, key, options).finally(() => source.close());
      verified(report);
      return report;
    });
}
