import type { CoreConfig, Gates } from '@sentinel/correlation-engine/core';
import { coreConfig } from '@sentinel/correlation-engine/settings';
import { Judge, type Outcome } from './report/outcome.js';
import { engineSettings } from './scenario/engine-settings.js';
import type { Scenario } from './scenario/scenario.js';
import { ORIGIN_US } from './world/environment.js';
import { World } from './world/world.js';

/** The engine's configuration in a scenario. @throws ConfigError, UsageError */
export function engineConfigOf({ engine }: Scenario): CoreConfig {
  return coreConfig(engineSettings(engine));
}

export interface SimulateOptions {
  /** The engine's configuration; left out: that of the scenario. */
  readonly config?: CoreConfig;
  /** Ends when every GPU with a fault of its own is quarantined, and every node with one is known to have it. */
  readonly untilSettled?: boolean;
  /** Gates that decide; fewer than all only to show what the others are there for. */
  readonly gates?: Gates;
  /** Is told how far the simulation is. */
  readonly progress?: (done: number, of: number) => void;
}

/** One run of a scenario. The same scenario and seed give the same outcome, byte for byte. */
export function simulate(scenario: Scenario, seed: number, options: SimulateOptions = {}): Outcome {
  const { config = engineConfigOf(scenario), gates, untilSettled = false, progress } = options;
  const world = new World(scenario, { config, ...(gates === undefined ? {} : { gates }) }, seed, {
    effects: (effects, nowUs) => judge.effects(effects, nowUs),
    finished: () => untilSettled && judge.settled,
    ...(progress === undefined ? {} : { progress }),
  });
  const judge = new Judge(world.targets);
  world.run();
  return judge.outcome(ORIGIN_US, { records: world.records, leftOut: world.leftOut });
}
