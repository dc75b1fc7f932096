import type { CoreRecord } from '@sentinel/correlation-engine/core';
import { Random } from '../random.js';
import type { Scenario } from '../scenario/scenario.js';
import type { SimulatedEngine } from './engine.js';
import { HOUR_US, ORIGIN_US } from './environment.js';
import { type Cadence, cadencesOf } from './families.js';
import { makeFleet, type SimulatedGpu, type SimulatedNode } from './fleet.js';
import { EventQueue } from './queue.js';

/** What all parts of a world share: the virtual clock, the fleet, and the one way to the engine. */
export class Stage {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly engine: SimulatedEngine;
  readonly cadences: readonly Cadence[];
  readonly nodes: readonly SimulatedNode[];
  readonly gpus: readonly SimulatedGpu[];
  readonly byId: ReadonlyMap<string, SimulatedGpu>;
  readonly queue = new EventQueue<() => void>();
  readonly startUs: number;
  readonly endUs: number;
  nowUs: number;
  /** Failures beyond the scenario's limits. */
  leftOut = 0;
  /** Records that wait for the store, oldest first; null = it is there. */
  #waiting: CoreRecord[] | null = null;

  constructor(scenario: Scenario, seed: number, engine: SimulatedEngine) {
    this.scenario = scenario;
    this.seed = seed;
    this.engine = engine;
    this.cadences = cadencesOf(scenario.fleet);
    this.nodes = makeFleet(scenario.fleet, (...name) => this.random(...name));
    this.gpus = this.nodes.flatMap((node) => node.gpus);
    this.byId = new Map(this.gpus.map((gpu) => [gpu.id, gpu]));
    this.startUs = ORIGIN_US - scenario.warmupHours * HOUR_US;
    this.endUs = ORIGIN_US + scenario.hours * HOUR_US;
    this.nowUs = this.startUs;
  }

  /** A stream of numbers of its own for everything that has a name. */
  random(...name: (string | number)[]): Random {
    return new Random(this.seed, ...name);
  }

  commit(record: CoreRecord): void {
    if (this.#waiting !== null) this.#waiting.push(record);
    else this.engine.commit(record, this.nowUs);
  }

  get storeIsAway(): boolean {
    return this.#waiting !== null;
  }

  loseStore(): void {
    this.#waiting ??= [];
  }

  storeIsBack(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const record of waiting) this.engine.commit(record, this.nowUs);
  }
}
