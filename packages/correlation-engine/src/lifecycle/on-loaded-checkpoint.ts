import type { StoredCheckpointRecord, StoredPart } from '../evidence/job-record.js';
import { digestsOf, type KnownDigest } from '../evidence/saved-digests.js';
import { emit, type Step } from '../evidence/step.js';
import { placeOf } from './place-in-job.js';
import { untoldBefore } from './tell-job-events.js';

const TYPE = 'CHECKPOINT_DIVERGENCE';

/**
 * What a job loads must have the digests that it, or another, was seen to save, whatever lies beside the files. The file is at fault then,
 * or who wrote it: no device is accused. What was written anew is another subject, of which nothing is known.
 */
export function applyLoadedCheckpoint(step: Step, record: StoredCheckpointRecord): void {
  const { node, source, job, path, algorithm, buildId, testBuild } = record;
  const differing = record.parts.flatMap((part) => differenceOf(part, job, digestsOf(step.draft, part.subject ?? '')));
  const [first] = differing;
  if (first === undefined) return;
  step.effects.comparisons.push({ type: TYPE, outcome: 'NOT_AS_SAVED' });
  const untold = untoldBefore(step, node, `NOT_AS_SAVED ${TYPE} ${job}`);
  if (untold === null) return;
  const { saved_rank: rank, saved_step: at, saved_job: by } = first;
  const saved = `rank ${rank}${by === job ? '' : ` of job ${by || 'without a name'}`} saved in step ${at}`;
  const who = `${differing.length} of ${record.parts.length} ranks that loaded it`;
  const detail = `Checkpoint ${path} is not what ${saved}: the ledger has another digest, by ${who}`;
  const subject = { gpu: '', eventUs: Math.min(record.timeUs, step.ctx.nowUs), injected: testBuild };
  emit(step, 'ANOMALY', subject, {
    ...{ event: 'anomaly', node, source, type: TYPE, job, gpus: [], severity: 'CRITICAL', ...placeOf(record) },
    ...{ path, algorithm, parts: differing, detail },
    ...(untold === 0 ? {} : { untold_before: untold }),
    build_id: buildId,
  });
}

/** Of tensors that several ranks save under one name a checkpoint holds those of one. */
function differenceOf({ rank, digest, subject = '' }: StoredPart, job: string, saved: readonly KnownDigest[]) {
  const own = saved.filter((one) => one.job === job);
  const by = own.find((one) => one.rank === rank) ?? own[0] ?? saved[0];
  if (by === undefined || saved.some((one) => one.digest === digest)) return [];
  const { digest: saved_digest, job: saved_job, rank: saved_rank, step: saved_step } = by;
  return [{ rank, digest, subject, saved_digest, saved_job, saved_rank, saved_step }];
}
