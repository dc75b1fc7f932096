import type { Timeouts } from '../store/connect.js';

/** Longer than a busy machine stands still. */
const MINUTE_MS = 60_000;
/** No test waits for so long: what comes only with the end of a lease does not come. */
const LEASE_MS = 600_000;

/** Limits of connections that no test meets by chance: one that is about a limit has its own. */
export const PATIENT: Timeouts = {
  statementMs: MINUTE_MS,
  writeMs: MINUTE_MS,
  answerGraceMs: MINUTE_MS,
  lockMs: MINUTE_MS,
  idleInTransactionMs: MINUTE_MS,
  leaseMs: LEASE_MS,
};
