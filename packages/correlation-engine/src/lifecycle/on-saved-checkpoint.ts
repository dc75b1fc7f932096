import type { SavedCheckpointRecord } from '../evidence/job-record.js';
import { emit, type Step } from '../evidence/step.js';
import { placeOf } from './place-in-job.js';
import { untoldBefore } from './tell-job-events.js';

/** Checkpoints of one job that the ledger is told of by one node within an hour. */
export const MOST_SAVED = 256;

/** The ledger keeps what the files of a checkpoint, and the manifest beside them, cannot vouch for themselves. */
export function applySavedCheckpoint(step: Step, record: SavedCheckpointRecord): void {
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
