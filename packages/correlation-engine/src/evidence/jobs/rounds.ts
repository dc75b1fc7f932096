import type { DeviceState, JobRound, JobRounds } from '../model/device.js';
import { forget, type Step } from '../step.js';

/** Rounds and jobs remembered of one device; the oldest make room. */
const MAX_ROUNDS = 64;
const MAX_DIVERGED = 8;
/** One step of one job may be reported by several monitors, and again after a restart of one. A job that went back to it comes later. */
const SAME_ROUND_US = 600_000_000;

/** State that lasts from step to step: what differs once differs until the job loads it anew. */
const LASTING: ReadonlySet<string> = new Set(['REPLICA_MISMATCH', 'CHECKPOINT_DIVERGENCE']);

const NONE: JobRounds = { counted: [], diverged: [] };

export interface LostRound extends JobRound {
  /** Comparisons of this kind in which the device agreed since it last did not. */
  readonly agreedBefore: number;
  /** It answered twice, and not alike. */
  readonly wavers: boolean;
}

/**
 * Is it news that the device lost? Not if another monitor, or the same one again, told of this round; and not if the device only holds
 * on to what it lost by: a replica that went wrong stays so, and what is computed from it is wrong in every later comparison.
 */
export function isNews({ jobs = NONE }: DeviceState, lost: LostRound): boolean {
  if (jobs.counted.some((round) => isSame(round, lost))) return false;
  if (!jobs.diverged.includes(lost.job)) return true;
  return LASTING.has(lost.type) ? lost.agreedBefore > 0 : lost.wavers;
}

function isSame(a: JobRound, b: JobRound): boolean {
  return a.type === b.type && a.job === b.job && a.step === b.step && Math.abs(a.timeUs - b.timeUs) <= SAME_ROUND_US;
}

/** Remembers a round that counted. */
export function noteLost(step: Step, device: DeviceState, lost: LostRound): void {
  const { counted, diverged } = device.jobs ?? NONE;
  const { type, job, rank, step: at, timeUs } = lost;
  const others = diverged.filter((other) => other !== job);
  const nowDiverged = LASTING.has(type) || diverged.includes(job) ? [job, ...others] : others;
  forget(
    step,
    'job_round',
    Math.max(0, counted.length + 1 - MAX_ROUNDS) + Math.max(0, nowDiverged.length - MAX_DIVERGED),
  );
  device.jobs = {
    counted: [{ type, job, ...(rank === undefined ? {} : { rank }), step: at, timeUs }, ...counted].slice(
      0,
      MAX_ROUNDS,
    ),
    diverged: nowDiverged.slice(0, MAX_DIVERGED),
  };
}

/** Its replicas are alike again. */
export function noteAgreed(device: DeviceState, type: string, job: string): void {
  if (!LASTING.has(type) || device.jobs?.diverged.includes(job) !== true) return;
  device.jobs = { ...device.jobs, diverged: device.jobs.diverged.filter((other) => other !== job) };
}
