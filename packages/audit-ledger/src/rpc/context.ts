import type { Logger } from '@sentinel/service-kit/logging';
import type { Ledger } from '../commit/ledger.js';
import type { LedgerStore } from '../storage/store.js';
import type { VerifyOptions, VerifyReport } from '../verify/verify-log.js';

/** What the methods work with. */
export interface RpcContext {
  readonly ledger: Ledger;
  readonly store: LedgerStore;
  /** Note verifier key of the log. */
  readonly verifierKey: string;
  /** Re-reads what is stored, up to the newest checkpoint. */
  readonly verify: (options: VerifyOptions) => Promise<VerifyReport>;
  readonly log: Logger;
}
