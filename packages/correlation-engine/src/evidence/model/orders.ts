import type { Family } from './terms.js';

export type DirectiveKind = 'burst' | 'follow-up' | 'deep-test';
export type DirectiveStatus = 'open' | 'done' | 'cancelled' | 'refused';

export interface TestUnit {
  family: Family;
  sm: number;
  executions: number;
}

/** Work ordered from the agent. Members that a kind does not use are 0 or []. */
export interface DirectiveState {
  id: string;
  kind: DirectiveKind;
  status: DirectiveStatus;
  family: Family;
  sm: number;
  /** Executions wanted in all (burst; deep test: per unit). */
  executions: number;
  /** Executions that ran to PASS or FAIL, and those that failed. */
  done: number;
  failures: number;
  windowMs: number;
  intervalMs: number;
  untilUs: number;
  units: TestUnit[];
  sweepSeconds: number;
  createdUs: number;
  /** When the agent's first execution for it arrived, and when the agent said that it was done; null = not yet. */
  startedUs: number | null;
  agentDoneUs: number | null;
  /** Deep test: when the failing units had their clean executions, and the clean executions of the sweep since. */
  unitsCleanUs: number | null;
  sweepClean: number;
  reason: string;
}

/** What an operator may order, and the engine may do by itself where nothing holds it. */
export type OperatorAction = 'QUARANTINE' | 'REINSTATE' | 'SCHEDULE_DEEP_TEST' | 'CONDEMN';

/**
 * Why an action waits: an operator asked for a second one; `require_approval` is set; the rate limit of automatic
 * quarantines is used up; the device was out of service for too long; a deep test showed the fault again; or it was passed, and
 * the score stays below `quarantine_to_healthy_threshold` all the same.
 */
export type ProposalCause =
  | 'operator'
  | 'require-approval'
  | 'rate-limit'
  | 'max-quarantine'
  | 'reproduced'
  | 'low-score';

/** An action that waits until an operator approves it (PENDING). */
export interface Proposal {
  /** Of the operator's directive, or made by the engine. */
  id: string;
  action: OperatorAction;
  cause: ProposalCause;
  /** One sentence. */
  reason: string;
  /** Who asked; '' = the engine. */
  proposedBy: string;
  proposedUs: number;
  expiresUs: number;
  /** What whoever asked says that speaks for it; absent = nothing. */
  evidence?: readonly string[];
}

/** The engine's newest proposal of an action that nobody approved: it is not made again at once. */
export interface Declined {
  action: OperatorAction;
  /** An operator said no, or nobody said anything in time. */
  how: 'REJECTED' | 'EXPIRED';
  declinedUs: number;
}

/** Since when a device is out of service, and whether by the engine's decision; an approved one counts as the engine's. Replaced as a whole. */
export interface OutOfService {
  readonly sinceUs: number;
  readonly byEngine: boolean;
  /** Deep tests since then that failed or that its agent refused, and when the newest of them ended; null = none. */
  readonly failedTests: number;
  readonly testedUs: number | null;
}

/** Hardware that is known came back. Replaced as a whole. */
export interface Returned {
  /** Id that it was known by; its own, if that names the hardware. */
  readonly from: string;
  readonly us: number;
}

export interface Replaced {
  /** Id of the device that is there now. */
  by: string;
  us: number;
}
