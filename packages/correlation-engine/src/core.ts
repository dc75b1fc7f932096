// The pure core, for the shell, the simulator, benches and the command line: no I/O, no clock, no randomness.
export type { Apply } from './evidence/apply.js';
export { begin, changes, type Draft, install } from './evidence/draft.js';
export type * from './evidence/effects.js';
export type * from './evidence/model.js';
export type * from './evidence/record.js';
export { type CoreState, dueAt, emptyState, loadState, type SavedState, type StateChanges, saveState } from './evidence/state.js';
