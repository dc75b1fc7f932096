import { JOB } from '../evidence/families.js';
import type { DeviceState, JobRound } from '../evidence/model/device.js';
import type { UnitState } from '../evidence/model/unit.js';
import { dateOf, type View } from './view.js';

const MAX_ROUNDS_NAMED = 3;

const WHAT: Readonly<Record<string, string>> = {
  REPLICA_MISMATCH: 'its replica of the model was not that of the others',
  REPLAY_MISMATCH: 'what it computed of a micro-batch was not what others did',
  CHECKPOINT_DIVERGENCE: 'its part of a checkpoint was not that of the others',
  CANARY_MISMATCH: 'its answer to a canary was not that of the others',
};

/** Comparisons in jobs that the device lost, newest first, for whoever runs the job. */
export function jobSentences({ device }: View): string[] {
  const unit = unitInJobs(device);
  if (unit === undefined || unit.counted + unit.excused === 0) return [];
  const rounds = device.jobs?.counted ?? [];
  const named = rounds.slice(0, MAX_ROUNDS_NAMED).map(roundText);
  const more = rounds.length > named.length ? `; and ${rounds.length - named.length} earlier` : '';
  const clean = unit.posterior === null ? 0 : Math.floor(unit.posterior.same);
  const agreed = clean === 0 ? '' : ` It agreed in ${clean} comparisons since.`;
  return [`In jobs: ${named.join('; ')}${more}.${agreed}`];
}

function roundText({ type, job, rank, step, timeUs }: JobRound): string {
  const place = rank === undefined ? '' : `rank ${rank}, `;
  return `${WHAT[type] ?? type} in job ${job}, ${place}step ${step}, on ${dateOf(timeUs)}`;
}

function unitInJobs({ units }: DeviceState): UnitState | undefined {
  return units.find(({ family }) => family === JOB);
}
