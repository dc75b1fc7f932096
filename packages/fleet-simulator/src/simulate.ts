import { fileURLToPath } from 'node:url';
import type { CoreConfig, Gates } from '@sentinel/correlation-engine/core';
import { coreConfig } from '@sentinel/correlation-engine/settings';
import { loadConfig } from '@sentinel/service-kit/config';
import { Judge, type Outcome } from './report/outcome.js';
import type { Scenario } from './scenario/scenario.js';
import { ORIGIN_US } from './world/environment.js';
import { World } from './world/world.js';

const DEFAULT_CONFIG = fileURLToPath(new URL('../../../config/sentinel.default.yaml', import.meta.url));

/** A simulation opens no port, so it needs none (and --insecure is no risk). */
const NO_CERTIFICATES = { 'tls.enabled': false };

/** Simulated agents execute no canaries: none are ordered. */
const NO_CANARIES = { 'tmr.enabled': false };

/** The defaults of the engine in enforce mode, and what the scenario changes about them. @throws ConfigError, UsageError */
export function engineConfigOf(scenario: Scenario): CoreConfig {
  const changes = Object.entries({ mode: 'enforce', ...NO_CERTIFICATES, ...NO_CANARIES, ...scenario.engine }).map(
    ([key, value]) => `${key}=${value}`,
  );
  const argv = ['--config', DEFAULT_CONFIG, '--insecure', ...changes.flatMap((change) => ['--override', change])];
  return coreConfig(loadConfig({ section: 'correlation_engine', argv, env: {} }).config);
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
