import type { CoreConfig } from '@sentinel/correlation-engine/core';
import type { Outcome } from '../report/outcome.js';
import type { Scenario } from '../scenario/scenario.js';
import { engineConfigOf, type SimulateOptions, simulate } from '../simulate.js';

/** Runs of one scenario with the seeds from `seed` on, one after the other. */
export function* replicates(
  scenario: Scenario,
  { seed, count, ...options }: { seed: number; count: number } & SimulateOptions,
): Generator<Outcome> {
  const config: CoreConfig = options.config ?? engineConfigOf(scenario);
  for (let i = 0; i < count; i += 1) yield simulate(scenario, seed + i, { ...options, config });
}
