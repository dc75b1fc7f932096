import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { failingSms, siblingsToRun } from '../reporting/siblings.js';
import type { Work } from '../scheduler/planner.js';
import type { ProbeRun } from './run.js';

/**
 * What is done with a mismatch before anybody hears of it (probes design, rule 6): the other SMs run its seed, then every SM that
 * failed runs it once more. Returns all runs of the seed; a failing rerun is evidence and starts nothing further.
 */
export async function investigate(
  work: Work,
  first: ProbeRun,
  deviceSms: readonly number[],
  launch: (work: Work) => Promise<ProbeRun>,
): Promise<ProbeRun[]> {
  const runs = [first];
  const again = (kind: RunKind, sms: readonly number[]) => launch({ ...work, kind, sms, pool: followUpPool(work) });
  const siblings = siblingsToRun(first, deviceSms);
  if (siblings.length > 0) runs.push(await again(RunKind.SIBLING, siblings));
  const failing = runs.flatMap(failingSms);
  runs.push(await again(RunKind.RERUN, failing));
  return runs;
}

/** The first questions after a mismatch are part of the answer to it, so scheduled probing does not pay for them. */
function followUpPool(work: Work): Work['pool'] {
  return work.pool === 'deep_test' ? 'deep_test' : 'burst';
}
