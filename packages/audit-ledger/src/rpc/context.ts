import type { Logger } from '@sentinel/service-kit/logging';
import type { Ledger, SignedCheckpoint } from '../commit/ledger.js';
import type { KeyRing } from '../key-ring.js';
import type { Repairer } from '../repair/repairer.js';
import type { RecordedRotation } from '../retention/chain.js';
import type { Keeper } from '../retention/keeper.js';
import type { LogReads } from '../storage/store.js';
import type { Verify } from '../verifications.js';

/** One signed checkpoint and what lies under it: whatever an answer says is of one view. */
export interface LogView {
  readonly checkpoint: SignedCheckpoint;
  readonly reads: LogReads;
}

export interface Health {
  readonly healthy: boolean;
  /** What `/health` answers. */
  readonly report: { readonly status: string; readonly [name: string]: unknown };
}

export interface LogKeys {
  /** Note verifier key of the key that signs the log. */
  readonly current: string;
  /** How earlier keys of the log handed over to it, oldest first. */
  readonly rotations: readonly RecordedRotation[];
}

/** What the methods that read work with. */
export interface RpcContext {
  /** The newest. @throws SentinelError where nothing may be served */
  readonly view: () => LogView;
  readonly health: () => Health;
  readonly keys: () => Promise<LogKeys>;
  /** Re-reads what is stored, up to the newest checkpoint. */
  readonly verify: Verify;
  readonly log: Logger;
}

/** What the methods that write work with. */
export interface WriterContext extends RpcContext {
  readonly ledger: Ledger;
  readonly keeper: Keeper;
  readonly keyRing: KeyRing;
  readonly repairer: Repairer;
}
