import { bench } from '@sentinel/bench-kit';
import { quantilesOf } from '../figures/quantiles.js';
import { replicates } from '../figures/replicates.js';
import { parseScenario } from '../scenario/read.js';

const SEED = 1;
const GPUS = 1000;
const HOURS_PER_YEAR = 8766;

interface Size {
  /** Years that each fleet lives, and fleets. */
  readonly years: number;
  readonly fleets: number;
}

/** By rate of passing faults per execution. */
const SIZES: Readonly<Record<string, { readonly full: Size; readonly quick: Size }>> = {
  '1e-9': { full: { years: 10, fleets: 10 }, quick: { years: 2, fleets: 1 } },
  '1e-8': { full: { years: 10, fleets: 4 }, quick: { years: 1, fleets: 1 } },
};

/** Healthy fleets in which units fail once, here and there: how many GPUs the engine takes out for it. */
export default bench({
  name: 'false-quarantine',
  async run({ quick, log }) {
    const figures: Record<string, number> = {};
    for (const [rate, size] of Object.entries(SIZES)) {
      const { years, fleets } = quick ? size.quick : size.full;
      const content = `name: healthy\nwarmup_hours: 0\nhours: ${years * HOURS_PER_YEAR}\ntransient_rate: ${rate}\nfleet: { gpus: ${GPUS} }`;
      const sum = { quarantined: 0, suspects: 0, incidents: 0, observations: 0 };
      const exits: number[] = [];
      for (const outcome of replicates(parseScenario('healthy', content), { seed: SEED, count: fleets })) {
        sum.quarantined += outcome.falseQuarantines.length;
        sum.suspects += outcome.falseSuspects;
        sum.incidents += outcome.incidents.length;
        sum.observations += outcome.observations;
        exits.push(...outcome.suspectExits);
        log(`${rate}: ${JSON.stringify(sum)} after ${years * GPUS} more GPU-years`);
      }
      const gpuYears = GPUS * years * fleets;
      Object.assign(figures, {
        [`per_10000_gpu_years_${rate}`]: (sum.quarantined * 10_000) / gpuYears,
        [`gpu_years_${rate}`]: gpuYears,
        [`observations_per_gpu_year_${rate}`]: sum.observations / gpuYears,
        [`suspects_per_gpu_year_${rate}`]: sum.suspects / gpuYears,
        [`incidents_per_fleet_year_${rate}`]: sum.incidents / (fleets * years),
        [`suspect_hours_${rate}`]: quantilesOf(exits).median ?? Number.POSITIVE_INFINITY,
      });
    }
    return { figures };
  },
});
