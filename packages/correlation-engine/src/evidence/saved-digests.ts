import type { Draft } from './draft.js';
import { rowKey, type SavedDigest, type SavedDigests } from './model/saved-digests.js';
import { forget, type Step } from './step.js';

/** Kept of one job on one node: 16 checkpoints of 8 ranks, or the newest 128 files. */
export const MOST_PARTS = 128;
/** Pairs of a job and a node: 80 MB where all are full. The one that saved nothing for longest makes room. */
export const MOST_ROWS = 4_096;
/** A job that saved nothing for so long is given up when another comes. */
export const KEPT_US = 30 * 86_400 * 1_000_000;

/** Remembers what a job saved on a node. @param saved none of them twice */
export function rememberSaved(step: Step, job: string, node: string, saved: readonly SavedDigest[]): void {
  if (saved.length === 0) return;
  const known = rowOf(step.draft, rowKey({ job, node }));
  const others = (known?.parts ?? []).filter(
    ({ subject, digest }) => !saved.some((now) => now.subject === subject && now.digest === digest),
  );
  const parts = [...saved, ...others];
  forget(step, 'saved_digest', parts.length - MOST_PARTS);
  const row = { job, node, newestUs: step.ctx.nowUs, parts: parts.slice(0, MOST_PARTS) };
  step.draft.saved.set(rowKey(row), row);
  if (known === undefined) makeRoom(step);
}

/** A digest of a subject, and the job that saved it. */
export interface KnownDigest extends SavedDigest {
  readonly job: string;
}

/** All digests that any job was seen to save of a subject, in a stable order. */
export function digestsOf({ base, saved }: Draft, subject: string): KnownDigest[] {
  const changed = [...saved].filter(([, { parts }]) => parts.some((part) => part.subject === subject));
  const keys = new Set([...(base.savedSubjects.get(subject) ?? []), ...changed.map(([key]) => key)]);
  return [...keys].sort().flatMap((key) => {
    const { job, parts } = saved.get(key) ?? base.saved.get(key) ?? { job: '', parts: [] };
    return parts.filter((part) => part.subject === subject).map((part) => ({ ...part, job }));
  });
}

function makeRoom(step: Step): void {
  const rows = rowsOf(step.draft).sort((a, b) => a.newestUs - b.newestUs || (rowKey(a) < rowKey(b) ? -1 : 1));
  const tooMany = rows.length - MOST_ROWS;
  const gone = rows.filter(({ newestUs }, at) => at < tooMany || newestUs < step.ctx.nowUs - KEPT_US);
  for (const row of gone) step.draft.saved.set(rowKey(row), { ...row, parts: [] });
  forget(
    step,
    'saved_digest',
    gone.reduce((sum, { parts }) => sum + parts.length, 0),
  );
}

function rowOf({ base, saved }: Draft, key: string): SavedDigests | undefined {
  const row = saved.get(key) ?? base.saved.get(key);
  return row === undefined || row.parts.length === 0 ? undefined : row;
}

function rowsOf({ base, saved }: Draft): SavedDigests[] {
  return [...new Map([...base.saved, ...saved]).values()].filter(({ parts }) => parts.length > 0);
}
