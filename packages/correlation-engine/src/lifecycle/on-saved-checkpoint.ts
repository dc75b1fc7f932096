import type { StoredCheckpointRecord } from '../evidence/job-record.js';
import { rememberSaved } from '../evidence/saved-digests.js';
import { emit, type Step } from '../evidence/step.js';
import { placeOf } from './place-in-job.js';
import { untoldBefore } from './tell-job-events.js';

/** Checkpoints of one job that the ledger is told of by one node within an hour. */
export const MOST_SAVED = 256;

/**
 * The ledger keeps what the files of a checkpoint, and the manifest beside them, cannot vouch for themselves; the engine remembers the
 * newest of it, for what is loaded later.
 */
export function applySavedCheckpoint(step: Step, record: StoredCheckpointRecord): void {
  remember(step, record);
  const { node, source, job, path, algorithm, parts, moreParts, buildId, testBuild } = record;
  const untold = untoldBefore(step, node, `checkpoint_saved ${job}`, MOST_SAVED);
  if (untold === null) return;
  const subject = { gpu: '', eventUs: Math.min(record.timeUs, step.ctx.nowUs), injected: testBuild };
  emit(step, 'SYSTEM', subject, {
    ...{ event: 'checkpoint_saved', node, source, job, ...placeOf(record), path, algorithm },
    parts: parts.map((part) => ({ ...part })),
    ...(moreParts > 0 ? { more_parts: moreParts } : {}),
    ...(untold === 0 ? {} : { untold_before: untold }),
    build_id: buildId,
  });
}

/** What a test build makes up would outlive the test. */
function remember(step: Step, { job, node, parts, step: at = 0, testBuild }: StoredCheckpointRecord): void {
  if (testBuild) return;
  const saved = parts.flatMap(({ subject, digest, rank }) =>
    subject === undefined ? [] : [{ subject, digest, rank, step: at }],
  );
  rememberSaved(step, job, node, saved);
}
