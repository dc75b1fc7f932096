import { RunKind } from '@sentinel/correlation-engine/core';
import { FailureRate } from '../faults/rate.js';
import { type FailingRun, nextFailingRun, type Source } from '../faults/source.js';
import type { Target } from '../faults/targets.js';
import type { Random } from '../random.js';
import type { Agents } from './agents.js';
import { HOUR_US, ORIGIN_US } from './environment.js';
import type { SimulatedGpu } from './fleet.js';
import { ownDigest, sharedDigest } from './runs.js';
import type { Stage } from './stage.js';

/** What computes wrongly and when: the sources of each GPU, and passing faults of healthy units. */
export class Failures {
  readonly #stage: Stage;
  readonly #agents: Agents;

  constructor(stage: Stage, agents: Agents) {
    this.#stage = stage;
    this.#agents = agents;
  }

  addSources({ fault, number, gpus }: Target): void {
    for (const { gpu, onsetUs, sms, families } of gpus) {
      const own = (...name: (string | number)[]) => this.#stage.random('fault', number, gpu.index, ...name);
      const times = { originUs: ORIGIN_US, onsetUs };
      // One rate for all families of a GPU: a burst of a fault is one burst.
      const rate = new FailureRate(fault, this.#stage.scenario.environment, own('rate'), times);
      const used = this.#stage.cadences.filter(({ family }) => families === null || families.includes(family));
      for (const { family } of used) {
        const shared = fault.digest === 'shared';
        const goldenIntact = fault.golden === 'intact';
        gpu.sources.push({ fault: fault.name, family, sms, rate, shared, goldenIntact, random: own('runs', family) });
      }
    }
  }

  /** The next failing scheduled run of each source. */
  plan(gpu: SimulatedGpu): void {
    gpu.generation += 1;
    for (const source of gpu.sources) this.#planSource(gpu, source, this.#stage.nowUs);
  }

  #planSource(gpu: SimulatedGpu, source: Source, fromUs: number): void {
    const { generation } = gpu;
    const cadence = this.#stage.cadences.find(({ family }) => family === source.family);
    if (cadence === undefined) return;
    const next = nextFailingRun(source, { phaseUs: 0, periodUs: cadence.periodUs }, fromUs, this.#stage.endUs);
    if (next === null) return;
    this.#stage.queue.at(next.timeUs, () => {
      if (gpu.generation !== generation) return;
      if (gpu.node.up && this.#takesPart(gpu)) this.#failScheduled(gpu, source, next);
      this.#planSource(gpu, source, this.#resumeUs(gpu, next.timeUs));
    });
  }

  /** A GPU that is out of service only runs what the engine orders. */
  #takesPart(gpu: SimulatedGpu): boolean {
    const state = this.#stage.engine.state.devices.get(gpu.id)?.state;
    return state === 'HEALTHY' || state === 'SUSPECT';
  }

  readonly #failingRuns = new Map<SimulatedGpu, { fromUs: number; count: number }>();

  /** From when on the next failing run is looked for: after too many, when their window is over. */
  #resumeUs(gpu: SimulatedGpu, timeUs: number): number {
    const { failingRuns, perHours } = this.#stage.scenario.limits;
    const windowUs = perHours * HOUR_US;
    const seen = this.#failingRuns.get(gpu);
    const now = seen !== undefined && timeUs < seen.fromUs + windowUs ? seen : { fromUs: timeUs, count: 0 };
    const count = now.count + 1;
    this.#failingRuns.set(gpu, { ...now, count });
    if (count < failingRuns) return timeUs;
    this.#stage.leftOut += 1;
    return now.fromUs + windowUs - 1;
  }

  #failScheduled(gpu: SimulatedGpu, source: Source, { timeUs, sms }: FailingRun): void {
    const { family, goldenIntact } = source;
    this.#agents.tellNode(gpu, timeUs - 1);
    gpu.toldUs = timeUs;
    const failing = sms.map((sm) => ({ sm, digest: this.digest(source, timeUs) }));
    const first = this.#agents.run(gpu, { family, kind: RunKind.SCHEDULED, timeUs, failing, goldenIntact });
    // The agent asks each failing SM once more before it reports.
    const reruns = sms.map((sm) => {
      const again = this.#failsAt(gpu, family, sm, timeUs) ? [{ sm, digest: this.digest(source, timeUs) }] : [];
      const { siblingsRun, siblingsPassed } = first;
      return this.#agents.run(gpu, {
        family,
        kind: RunKind.RERUN,
        timeUs,
        sms: [sm],
        failing: again,
        goldenIntact,
        siblingsRun,
        siblingsPassed,
        siblingsAlike: source.shared ? sms.length - 1 : 0,
      });
    });
    this.#agents.report(gpu, [first, ...reruns]);
  }

  digest({ shared, fault, family, random }: Source, timeUs: number): number {
    return shared ? sharedDigest(fault, family, timeUs) : ownDigest(random.word(), family, timeUs);
  }

  #failsAt(gpu: SimulatedGpu, family: number, sm: number, timeUs: number): boolean {
    return gpu.random.happens(this.probability(gpu, family, sm, timeUs));
  }

  /** That an execution goes wrong, for whatever reason. */
  probability(gpu: SimulatedGpu, family: number, sm: number | null, timeUs: number): number {
    let passes = 1 - this.#stage.scenario.transientRate;
    for (const source of gpu.sources) {
      if (source.family !== family) continue;
      if (sm === null) passes *= (1 - source.rate.at(timeUs)) ** source.sms.length;
      else if (source.sms.includes(sm)) passes *= 1 - source.rate.at(timeUs);
    }
    return 1 - passes;
  }

  highest(gpu: SimulatedGpu, family: number, sm: number | null): number {
    let passes = 1 - this.#stage.scenario.transientRate;
    for (const source of gpu.sources) {
      if (source.family !== family) continue;
      if (sm === null) passes *= (1 - source.rate.highest) ** source.sms.length;
      else if (source.sms.includes(sm)) passes *= 1 - source.rate.highest;
    }
    return 1 - passes;
  }

  /** Healthy units that fail once: one Poisson process over the fleet. */
  planTransient(): void {
    const perHour = this.#stage.cadences.map(({ periodUs }) => (HOUR_US / periodUs) * this.#stage.scenario.fleet.sms);
    const total =
      perHour.reduce((sum, rate) => sum + rate, 0) * this.#stage.gpus.length * this.#stage.scenario.transientRate;
    const random = this.#stage.random('transient');
    const next = (fromUs: number): void => {
      const timeUs = fromUs + random.exponential(total / HOUR_US);
      if (!(timeUs <= this.#stage.endUs)) return;
      this.#stage.queue.at(timeUs, () => {
        const gpu = this.#stage.gpus[random.below(this.#stage.gpus.length)];
        const family = pick(this.#stage.cadences, perHour, random.uniform()).family;
        const sm = gpu?.sms[random.below(gpu.sms.length)] ?? 0;
        if (gpu?.node.up === true && this.#takesPart(gpu)) this.#failOnce(gpu, family, sm, timeUs, random);
        next(timeUs);
      });
    };
    next(this.#stage.startUs);
  }

  #failOnce(gpu: SimulatedGpu, family: number, sm: number, timeUs: number, random: Random): void {
    const atUs = Math.floor(timeUs);
    this.#agents.tellNode(gpu, atUs - 1);
    gpu.toldUs = atUs;
    const failing = [{ sm, digest: ownDigest(random.word(), family, atUs) }];
    const { siblingsRun, siblingsPassed, ...first } = this.#agents.run(gpu, {
      family,
      kind: RunKind.SCHEDULED,
      timeUs: atUs,
      failing,
    });
    const rerun = this.#agents.run(gpu, {
      family,
      kind: RunKind.RERUN,
      timeUs: atUs,
      sms: [sm],
      siblingsRun,
      siblingsPassed,
    });
    this.#agents.report(gpu, [{ ...first, siblingsRun, siblingsPassed }, rerun]);
  }
}

/** The entry that a uniform number in [0, 1) falls on. */
function pick<T>(entries: readonly T[], weights: readonly number[], uniform: number): T {
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return entries[at < 0 ? entries.length - 1 : at] as T;
}
