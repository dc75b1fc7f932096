import type { Effects } from '@sentinel/correlation-engine/core';
import { assignFaults, type Target } from '../faults/targets.js';
import type { Scenario } from '../scenario/scenario.js';
import { Agents } from './agents.js';
import { type Rules, SimulatedEngine } from './engine.js';
import { Failures } from './failures.js';
import { Happenings } from './happenings.js';
import { Orders } from './orders.js';
import { Stage } from './stage.js';

export interface WorldObserver {
  effects(effects: Effects, nowUs: number): void;
  progress?(doneUs: number, ofUs: number): void;
  /** Everything that is to be learned has happened. */
  finished?(): boolean;
}

/** A fleet on a virtual clock: agents that run, fail and obey, and the engine's own code that decides about them. */
export class World {
  readonly targets: readonly Target[];
  readonly #stage: Stage;
  readonly #agents: Agents;
  readonly #failures: Failures;
  readonly #orders: Orders;
  readonly #happenings: Happenings;
  readonly #observer: WorldObserver;

  constructor(scenario: Scenario, rules: Rules, seed: number, observer: WorldObserver) {
    this.#observer = observer;
    const engine = new SimulatedEngine(rules, (effects, nowUs) => this.#onEffects(effects, nowUs));
    this.#stage = new Stage(scenario, seed, engine);
    this.#agents = new Agents(this.#stage);
    this.#failures = new Failures(this.#stage, this.#agents);
    this.#orders = new Orders(this.#stage, this.#agents, this.#failures);
    this.#happenings = new Happenings(this.#stage, this.#agents, this.#failures, this.#orders);
    this.targets = assignFaults(scenario, this.#stage.nodes, (...name) => this.#stage.random(...name));
    for (const target of this.targets) this.#failures.addSources(target);
  }

  /** Records that the engine committed. */
  get records(): number {
    return this.#stage.engine.records;
  }

  get leftOut(): number {
    return this.#stage.leftOut;
  }

  run(): void {
    this.#start();
    const { queue, engine, startUs, endUs } = this.#stage;
    for (;;) {
      const nextUs = Math.min(queue.nextUs, this.#stage.storeIsAway ? Number.POSITIVE_INFINITY : engine.dueUs);
      if (nextUs > endUs) break;
      this.#stage.nowUs = Math.max(this.#stage.nowUs, nextUs);
      this.#observer.progress?.(this.#stage.nowUs - startUs, endUs - startUs);
      if (queue.nextUs <= nextUs) queue.take()?.();
      else this.#timer();
      if (this.#observer.finished?.() === true) return;
    }
    this.#stage.nowUs = endUs;
    this.#observer.progress?.(endUs - startUs, endUs - startUs);
  }

  #start(): void {
    for (const node of this.#stage.nodes) {
      this.#orders.join(node);
      for (const gpu of node.gpus) this.#agents.firstRuns(gpu);
    }
    for (const gpu of this.#stage.gpus) this.#failures.plan(gpu);
    this.#happenings.planUpdates(this.targets);
    this.#failures.planTransient();
    this.#happenings.planAnomalies();
    this.#happenings.planEvents();
  }

  #timer(): void {
    const { engine, gpus, byId, nowUs } = this.#stage;
    const { dueUs: ratesUs } = engine.state.fleet.rates;
    if (ratesUs !== null && ratesUs <= nowUs) for (const gpu of gpus) this.#agents.tell(gpu, nowUs);
    for (const id of engine.dueDevices(nowUs)) {
      const gpu = byId.get(id);
      if (gpu !== undefined) this.#agents.tell(gpu, nowUs);
    }
    this.#stage.commit({ kind: 'timer' });
  }

  #onEffects(effects: Effects, nowUs: number): void {
    this.#observer.effects(effects, nowUs);
    for (const effect of effects.directives) this.#orders.onDirective(effect);
    for (const { deviceId, to } of effects.transitions) {
      const gpu = this.#stage.byId.get(deviceId);
      if (gpu !== undefined && to === 'HEALTHY') this.#failures.plan(gpu);
    }
  }
}
