import { type DirectiveEffect, RunKind, remainingDirectives, type Work } from '@sentinel/correlation-engine/core';
import type { Source } from '../faults/source.js';
import type { Agents } from './agents.js';
import type { Failures } from './failures.js';
import { helloOf, type SimulatedGpu, type SimulatedNode } from './fleet.js';
import { ownDigest, type SimulatedRun } from './runs.js';
import { type Series, timeOf } from './series.js';
import type { Stage } from './stage.js';

const SECOND_US = 1_000_000;
/** From an order of the engine to the agent's first execution for it. */
const REACTION_US = SECOND_US;
/** Runs of one family in the sweep of a deep test. */
const SWEEP_INTERVAL_US = SECOND_US;

/** What the engine orders, and agents carry out: bursts, follow-ups, deep tests. */
export class Orders {
  readonly #stage: Stage;
  readonly #agents: Agents;
  readonly #failures: Failures;

  constructor(stage: Stage, agents: Agents, failures: Failures) {
    this.#stage = stage;
    this.#agents = agents;
    this.#failures = failures;
  }

  /** An agent says hello, forgets what it was at, and gets again what is still to be done. */
  join(node: SimulatedNode): void {
    const { scenario, cadences, engine, nowUs } = this.#stage;
    this.#stage.commit(helloOf(node, scenario.fleet, cadences, nowUs));
    for (const gpu of node.gpus) {
      this.forget(gpu);
      const device = engine.state.devices.get(gpu.id);
      for (const { id, work } of device === undefined ? [] : remainingDirectives(device, engine.state.config))
        this.#order(gpu, id, work);
    }
  }

  forget(gpu: SimulatedGpu): void {
    for (const series of [...gpu.series.values()].flat()) series.over = true;
    gpu.series.clear();
  }

  onDirective(effect: DirectiveEffect): void {
    const gpu = this.#stage.byId.get(effect.deviceId);
    if (gpu === undefined) return;
    if (effect.op === 'send') this.#order(gpu, effect.id, effect.work);
    else this.#cancel(gpu, effect.id);
  }

  #cancel(gpu: SimulatedGpu, directive: string): void {
    for (const series of gpu.series.get(directive) ?? []) series.over = true;
    gpu.series.delete(directive);
  }

  #order(gpu: SimulatedGpu, directive: string, work: Work): void {
    if (!gpu.node.up) return;
    this.#cancel(gpu, directive);
    const all = this.#seriesOf(directive, work);
    gpu.series.set(directive, all);
    for (const series of all) this.#planSeries(gpu, series, 0, 0);
  }

  #seriesOf(directive: string, work: Work): Series[] {
    const startUs = this.#stage.nowUs + REACTION_US;
    const common = { directive, startUs, told: 0, over: false };
    if (work.kind === 'burst') {
      const { family, sm, executions, windowMs } = work;
      return [{ ...common, kind: RunKind.BURST, family, sm, executions, intervalUs: (windowMs * 1000) / executions }];
    }
    if (work.kind === 'follow-up') {
      const { family, sm, intervalMs, untilUs } = work;
      const intervalUs = intervalMs * 1000;
      const executions = Math.max(1, Math.floor((untilUs - startUs) / intervalUs));
      return [{ ...common, kind: RunKind.FOLLOW_UP, family, sm, executions, intervalUs }];
    }
    if (work.kind !== 'deep-test') return [];
    const intervalUs = SECOND_US / this.#stage.scenario.fleet.deepTestPerSecond;
    const units = work.units.map(({ family, sm, executions }) => {
      return { ...common, kind: RunKind.DEEP_TEST, family, sm, executions, intervalUs };
    });
    if (work.sweepSeconds === 0) return units;
    const longest = Math.max(0, ...work.units.map(({ executions }) => executions)) * intervalUs;
    const sweep = this.#stage.cadences.map(({ family }) => ({
      ...common,
      kind: RunKind.DEEP_TEST,
      family,
      sm: null,
      startUs: startUs + longest,
      executions: Math.max(1, Math.ceil((work.sweepSeconds * SECOND_US) / SWEEP_INTERVAL_US)),
      intervalUs: SWEEP_INTERVAL_US,
    }));
    return [...units, ...sweep];
  }

  /** The next failing execution of a series after the nth, or its end. */
  #planSeries(gpu: SimulatedGpu, series: Series, after: number, failures: number): void {
    const { family, sm, executions } = series;
    const most = this.#failures.highest(gpu, family, sm);
    let n = after;
    for (;;) {
      n += gpu.random.geometric(most);
      if (!(n <= executions)) break;
      const probability = this.#failures.probability(gpu, family, sm, timeOf(series, n));
      if (gpu.random.happens(probability / most)) break;
    }
    if (failures >= this.#stage.scenario.limits.failuresPerDirective) {
      this.#stage.leftOut += 1;
      return;
    }
    if (n <= executions) {
      this.#stage.queue.at(timeOf(series, n), () => {
        if (series.over) return;
        this.#failInSeries(gpu, series, n);
        if (!series.over) this.#planSeries(gpu, series, n, failures + 1);
      });
      return;
    }
    this.#stage.queue.at(timeOf(series, executions) + 1, () => {
      if (!series.over) this.#endSeries(gpu, series);
    });
  }

  #failInSeries(gpu: SimulatedGpu, series: Series, n: number): void {
    const { family, kind, directive } = series;
    const timeUs = timeOf(series, n);
    this.#agents.tellNode(gpu, timeUs - 1);
    if (series.over) return;
    series.told = n;
    const source = gpu.sources.find((entry) => {
      return (
        entry.family === family && (series.sm === null || entry.sms.includes(series.sm)) && entry.rate.at(timeUs) > 0
      );
    });
    const run = { family, kind, timeUs, directive, goldenIntact: source?.goldenIntact ?? true };
    const failing =
      series.sm === null
        ? this.#someFail(gpu, family, source, timeUs)
        : this.#oneFails(gpu, series.sm, family, source, timeUs);
    this.#agents.report(gpu, [this.#agents.run(gpu, { ...run, ...failing })]);
  }

  /** A run on all SMs in which some fail. */
  #someFail(
    gpu: SimulatedGpu,
    family: number,
    source: Source | undefined,
    timeUs: number,
  ): Pick<SimulatedRun, 'sms' | 'failing'> {
    const sms = source?.sms ?? gpu.sms;
    const rate = source?.rate.at(timeUs) ?? this.#stage.scenario.transientRate;
    const failing = gpu.random.successes(sms.length, rate).map((at) => {
      return { sm: sms[at] ?? 0, digest: this.#wrongDigest(gpu, family, source, timeUs) };
    });
    return { sms: gpu.sms, failing };
  }

  /** A run on one SM that fails. The agent then runs its seed on the others, of which some fail for the same reason. */
  #oneFails(
    gpu: SimulatedGpu,
    sm: number,
    family: number,
    source: Source | undefined,
    timeUs: number,
  ): Partial<SimulatedRun> {
    const others = source === undefined ? 0 : source.sms.length - 1;
    const failed = others === 0 ? 0 : gpu.random.binomial(others, source?.rate.at(timeUs) ?? 0);
    return {
      sms: [sm],
      failing: [{ sm, digest: this.#wrongDigest(gpu, family, source, timeUs) }],
      siblingsPassed: gpu.sms.length - 1 - failed,
      siblingsAlike: source?.shared === true ? failed : 0,
    };
  }

  #wrongDigest(gpu: SimulatedGpu, family: number, source: Source | undefined, timeUs: number): number {
    return source === undefined ? ownDigest(gpu.random.word(), family, timeUs) : this.#failures.digest(source, timeUs);
  }

  #endSeries(gpu: SimulatedGpu, series: Series): void {
    series.over = true;
    this.#agents.tell(gpu, this.#stage.nowUs);
    const all = gpu.series.get(series.directive);
    if (all === undefined || !all.every(({ over }) => over)) return;
    gpu.series.delete(series.directive);
    this.#stage.commit({
      kind: 'directive-status',
      node: gpu.node.name,
      directiveId: series.directive,
      state: 'DONE',
      reason: '',
    });
  }
}
