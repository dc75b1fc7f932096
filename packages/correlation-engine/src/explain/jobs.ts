import { JOB } from '../evidence/families.js';
import type { DeviceState, JobRound } from '../evidence/model/device.js';
import type { UnitState } from '../evidence/model/unit.js';
import { dateOf, type View } from './view.js';

const MAX_ROUNDS_NAMED = 3;

const WHAT: Readonly<Record<string, string>> = {
  REPLICA_MISMATCH: 'its replica of the model was not that of the others',
  REPLAY_MISMATCH: 'what it computed from the same input was not what others did',
  CHECKPOINT_DIVERGENCE: 'its part of a checkpoint was not that of the others',
  CANARY_MISMATCH: 'its answer to a canary was not that of the others',
};

/** Its replicas are of a service, whose rounds have no steps. */
const WITHOUT_STEPS: ReadonlySet<string> = new Set(['CANARY_MISMATCH']);

/** Comparisons in jobs that the device lost, newest first, for whoever runs the job. */
export function jobSentences({ device }: View): string[] {
  const unit = unitInJobs(device);
  const rounds = device.jobs?.counted ?? [];
  const alone = unit !== undefined && unit.counted + unit.excused > 0;
  if (!alone && !(device.state === 'SUSPECT' && rounds.some(({ together }) => together !== undefined))) return [];
  const named = rounds.slice(0, MAX_ROUNDS_NAMED).map(roundText);
  const more = rounds.length > named.length ? `; and ${rounds.length - named.length} earlier` : '';
  const clean = Math.floor(unit?.posterior?.same ?? 0);
  const agreed = clean === 0 ? '' : ` It agreed in ${clean} comparisons since.`;
  return [`In jobs: ${named.join('; ')}${more}.${agreed}`];
}

function roundText({ type, job, rank, step, timeUs, together }: JobRound): string {
  const place = rank === undefined ? '' : `, rank ${rank}`;
  const at = WITHOUT_STEPS.has(type) ? '' : `, step ${step}`;
  const shared = together === undefined ? '' : ` (given together with ${together - 1} more devices)`;
  return `${WHAT[type] ?? type}${shared} in job ${job}${place}${at}, on ${dateOf(timeUs)}`;
}

function unitInJobs({ units }: DeviceState): UnitState | undefined {
  return units.find(({ family }) => family === JOB);
}
