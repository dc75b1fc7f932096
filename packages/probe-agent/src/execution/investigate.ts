import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { ProbeTolerances } from '@sentinel/service-kit/config';
import { failingSms, siblingsToRun } from '../reporting/siblings.js';
import type { Work } from '../scheduler/planner.js';
import type { ProbeRun } from './run.js';

export interface Investigation {
  readonly tolerances: Pick<ProbeTolerances, 'siblings' | 'reruns'>;
  readonly smsOf: (deviceId: string) => readonly number[];
}

/**
 * What is done with a mismatch before anybody hears of it (probes design, rule 6): the other SMs run its seed, then every SM that
 * failed runs it again. Returns all runs of the seed; a failing rerun is evidence and starts nothing further.
 */
export async function investigate(
  work: Work,
  first: ProbeRun,
  { tolerances, smsOf }: Investigation,
  launch: (work: Work) => Promise<ProbeRun>,
): Promise<ProbeRun[]> {
  const runs = [first];
  const again = (kind: RunKind, sms: readonly number[]) => launch({ ...work, kind, sms, pool: followUpPool(work) });
  const siblings = siblingsToRun(first, smsOf(work.deviceId), tolerances.siblings);
  if (siblings.length > 0) runs.push(await again(RunKind.SIBLING, siblings));
  const failing = runs.flatMap(failingSms);
  for (let rerun = 0; rerun < tolerances.reruns; rerun += 1) runs.push(await again(RunKind.RERUN, failing));
  return runs;
}

/** The first questions after a mismatch are part of the answer to it, so scheduled probing does not pay for them. */
function followUpPool(work: Work): Work['pool'] {
  return work.pool === 'deep_test' ? 'deep_test' : 'burst';
}
