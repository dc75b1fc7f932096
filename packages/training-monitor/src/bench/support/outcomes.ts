import type { AnomalyEvent } from '@sentinel/contracts/sentinel/v1/anomaly.js';

/** A bit that was flipped in a real job, as python/bench/real.py says it. */
export interface Fault {
  readonly kind: 'weight' | 'state' | 'product' | 'checkpoint';
  readonly rank: number;
  readonly first: number;
  readonly last: number;
  /** Of which nothing was left when ranks compared: nothing can be told of it. */
  readonly masked: boolean;
}

/** 'missed' = nobody told of it; 'wrong' = a device was accused that it was not in. */
export type Outcome = 'right' | 'wrong' | 'missed';

const HARD: ReadonlySet<string> = new Set(
  ['replica', 'replay', 'checkpoint'].map((name) => `training-monitor/${name}`),
);

/**
 * Right is the device of the rank alone; of a file that changed nobody's; of two replicas that differ both.
 * @param events of the job, no INFO @param group ranks that hold the same parameters as the fault's, itself included
 */
export function outcomeOf(fault: Fault, events: readonly AnomalyEvent[], group: readonly number[]): Outcome {
  const told = events.filter(({ source, job }) => {
    const step = Number(job?.step ?? 0);
    return HARD.has(source) && step >= fault.first && step <= fault.last;
  });
  if (told.length === 0) return 'missed';
  const accused = [...new Set(told.flatMap(({ gpus }) => gpus))].sort();
  return accused.join() === devicesOf(fault, group).join() ? 'right' : 'wrong';
}

function devicesOf({ kind, rank }: Fault, group: readonly number[]): string[] {
  if (kind === 'checkpoint') return [];
  const ranks = kind !== 'product' && group.length === 2 ? group : [rank];
  return ranks.map((one) => `GPU-${one}`).sort();
}
