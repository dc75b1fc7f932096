import type { DeviceState, JobRound, JobRounds } from '../model/device.js';
import { forget, type Step } from '../step.js';

/** Rounds and jobs remembered of one device; the oldest make room. */
const MAX_ROUNDS = 64;
const MAX_DIVERGED = 8;
/** One step of one job may be reported by several monitors, and again after a restart of one. A job that went back to it comes later. */
const SAME_ROUND_US = 600_000_000;

const CANARY = 'CANARY_MISMATCH';
/** Bits that a device holds. */
const HELD: ReadonlySet<string> = new Set(['REPLICA_MISMATCH', 'CHECKPOINT_DIVERGENCE']);
/**
 * What differs once differs until the job loads it anew: state that lasts from step to step, and what is always computed from it, such as
 * the answer to a canary from the weights in memory.
 */
const LASTING: ReadonlySet<string> = new Set([...HELD, CANARY]);

const NONE: JobRounds = { counted: [], diverged: [] };

export interface LostRound extends JobRound {
  /** Comparisons of this kind in which the device agreed since it last did not. */
  readonly agreedBefore: number;
  /** It answered twice, and not alike. */
  readonly wavers: boolean;
  /** What it computed from was proven to be what the others have. */
  readonly stateEqual: boolean;
}

/**
 * Is it news that the device lost? Not if another monitor, or the same one again, told of this round; and not if the device only holds
 * on to what it lost by: a replica that went wrong stays so, and what is computed from it is wrong in every later comparison. Where that
 * was proven to be right, or the device contradicts itself, it went wrong anew.
 */
export function isNews({ jobs = NONE }: DeviceState, lost: LostRound): boolean {
  if (jobs.counted.some((round) => isSame(round, lost))) return false;
  if (!jobs.diverged.includes(lost.job)) return true;
  if (HELD.has(lost.type)) return lost.agreedBefore > 0;
  return lost.wavers || lost.stateEqual || (lost.type === CANARY && lost.agreedBefore > 0);
}

function isSame(a: JobRound, b: JobRound): boolean {
  return a.type === b.type && a.job === b.job && a.step === b.step && Math.abs(a.timeUs - b.timeUs) <= SAME_ROUND_US;
}

/** Remembers a round that counted. */
export function noteLost(step: Step, device: DeviceState, lost: LostRound): void {
  const { counted, diverged } = device.jobs ?? NONE;
  const { type, job, rank, step: at, timeUs, together } = lost;
  const others = diverged.filter((other) => other !== job);
  const lasts = LASTING.has(type) && !lost.stateEqual;
  const nowDiverged = lasts || diverged.includes(job) ? [job, ...others] : others;
  forget(
    step,
    'job_round',
    Math.max(0, counted.length + 1 - MAX_ROUNDS) + Math.max(0, nowDiverged.length - MAX_DIVERGED),
  );
  device.jobs = {
    counted: [
      {
        ...{ type, job, ...(rank === undefined ? {} : { rank }), step: at, timeUs },
        ...(together === undefined ? {} : { together }),
      },
      ...counted,
    ].slice(0, MAX_ROUNDS),
    diverged: nowDiverged.slice(0, MAX_DIVERGED),
  };
}

/** Its replicas are alike again. A canary that agrees may not touch the bits that differ: it ends what a canary began. */
export function noteAgreed(device: DeviceState, type: string, job: string): void {
  if (!LASTING.has(type) || device.jobs?.diverged.includes(job) !== true) return;
  const began = device.jobs.counted.find((round) => round.job === job && LASTING.has(round.type))?.type;
  if (type === CANARY && began !== CANARY) return;
  device.jobs = { ...device.jobs, diverged: device.jobs.diverged.filter((other) => other !== job) };
}
