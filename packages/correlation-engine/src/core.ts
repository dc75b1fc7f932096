// The pure core, for the shell, the simulator, benches and the command line: no I/O, no clock, no randomness.
export type * from './canary/facts.js';
export { canaryDirectives } from './canary/open.js';
export { type BatchProblem, checkBatch } from './evidence/check-batch.js';
export { checkHello } from './evidence/check-hello.js';
export { checkTelemetry, MAX_FIELDS } from './evidence/check-telemetry.js';
export { type Cohort, parseCohort } from './evidence/cohorts.js';
export { type Assessment, type DecisionModel, posteriorOdds, type UnitAssessment } from './evidence/decision.js';
export { begin, changes, type Draft, install } from './evidence/draft.js';
export type * from './evidence/effects.js';
export { FORGETTABLE } from './evidence/effects.js';
export type { ExposureIndex, ExposureRow } from './evidence/exposure.js';
export { familyName } from './evidence/families.js';
export { checkFits } from './evidence/fits-device.js';
export { ALL_GATES, type Gates } from './evidence/gates/outcome.js';
export { type RateLimitUse, rateLimitUse, roomUs } from './evidence/gates/rate-limit.js';
export { type IncidentMembers, membersOf } from './evidence/incident-members.js';
export type * from './evidence/job-record.js';
export type * from './evidence/model/device.js';
export type * from './evidence/model/fleet.js';
export type * from './evidence/model/node.js';
export type * from './evidence/model/orders.js';
export type * from './evidence/model/saved-digests.js';
export type * from './evidence/model/settings.js';
export type * from './evidence/model/terms.js';
export { RunFlag, RunKind } from './evidence/model/terms.js';
export type * from './evidence/model/unit.js';
export type * from './evidence/record.js';
export { type DisplayedScore, displayedScore } from './evidence/score.js';
export {
  type CoreState,
  dueAt,
  emptyState,
  loadState,
  type SavedState,
  type StateChanges,
  saveState,
} from './evidence/state.js';
export { type Explanation, explain, type UnitProgress } from './explain/explain.js';
export { type DeviceSummary, summarize } from './explain/summary.js';
export { type Apply, apply } from './lifecycle/apply.js';
export { isInjected } from './lifecycle/detail.js';
export { remainingDirectives } from './lifecycle/directives.js';
export { findProposal, type Waiting, waitingProposals } from './lifecycle/proposals.js';
