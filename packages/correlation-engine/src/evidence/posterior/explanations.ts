import { censusOf } from '../census.js';
import { cohortOf } from '../cohorts.js';
import { configOf, type Draft } from '../draft.js';
import { failuresOf } from '../failing.js';
import { poissonTail } from '../gates/breadth.js';
import type { DeviceState } from '../model/device.js';
import type { Family } from '../model/terms.js';
import { totalsOf } from '../unit-totals.js';
import { NODE_WINDOW_US, nodeFault } from './node-fault.js';
import { probabilityOf } from './recursion.js';

/** What may be behind wrong results: chance, one unit, the device as a whole, its node, or software that its cohort shares. */
export type Cause = 'chance' | 'unit' | 'gpu' | 'node' | 'cohort';

/** Posterior probability of each; they sum to 1. */
export type Causes = Readonly<Record<Cause, number>>;

/** `unit` and `gpu` are the odds of the device's own defects; whether it is the node rather than they is for gate 6 to weigh, here too. */
export function causesOf(draft: Draft, device: DeviceState, unit: number, gpu: number, nowUs: number): Causes {
  const odds = nodeFault(draft, device, nowUs).oddsOf.get(device.id) ?? 0;
  const node = probabilityOf(odds);
  const cohort = cohortOdds(draft, device, nowUs);
  const whole = (1 + unit + gpu + cohort) * (1 + odds);
  return { chance: 1 / whole, unit: unit / whole, gpu: gpu / whole, node, cohort: cohort / whole };
}

const WEEKS_PER_YEAR = 8766 / 168;

/**
 * Odds of software that the cohort shares: how much sooner nodes failed together than independent defects would. The first
 * of them is what asks for an explanation; those after it are evidence.
 */
function cohortOdds(draft: Draft, device: DeviceState, nowUs: number): number {
  const { attribution } = configOf(draft);
  const prior = attribution.cohort_faults_per_year / WEEKS_PER_YEAR;
  const { failing: families } = totalsOf(device.units);
  return Math.max(0, ...families.map((family) => prior * togetherness(draft, device, family, nowUs)));
}

function togetherness(draft: Draft, device: DeviceState, family: Family, nowUs: number): number {
  const cohort = cohortOf(device, family);
  const entries = failuresOf(draft, cohort).nodes;
  const nodes = entries.filter((entry) => entry.newUs > nowUs - NODE_WINDOW_US).length;
  if (nodes < 2) return 0;
  const { unit_defects_per_gpu_year, gpu_defects_per_gpu_year } = configOf(draft).attribution;
  const devices = Math.max(1, censusOf(draft, cohort).devices);
  const expected = (devices * (unit_defects_per_gpu_year + gpu_defects_per_gpu_year)) / WEEKS_PER_YEAR;
  return 1 / Math.max(1e-15, poissonTail(nodes - 1, expected));
}
