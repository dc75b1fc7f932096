import type { Draft } from './draft.js';
import type { Effects } from './effects.js';
import type { CommitContext, CoreRecord } from './record.js';

/**
 * Applies one committed record: mutates the draft, returns what else has to be committed with it. Deterministic: the same
 * records in the same order give the same bytes. Never throws for what a sender may have put into an authentic record.
 * Records of one draft may carry the same or increasing commitSeq.
 */
export type Apply = (draft: Draft, ctx: CommitContext, record: CoreRecord) => Effects;
