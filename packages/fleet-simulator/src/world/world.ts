import {
  type BatchRecord,
  type CoreRecord,
  type DirectiveEffect,
  type Effects,
  type OperatorAction,
  RunKind,
  remainingDirectives,
  type SpanOfUnit,
  type Work,
} from '@sentinel/correlation-engine/core';
import { FailureRate } from '../faults/rate.js';
import { type FailingRun, nextFailingRun, type Source } from '../faults/source.js';
import { assignFaults, type Target } from '../faults/targets.js';
import { Random } from '../random.js';
import type { PlannedEvent, Scenario } from '../scenario/scenario.js';
import { type Rules, SimulatedEngine } from './engine.js';
import { HOUR_US, ORIGIN_US, temperatureAt } from './environment.js';
import { type Cadence, cadencesOf } from './families.js';
import { helloOf, makeFleet, type SimulatedGpu, type SimulatedNode } from './fleet.js';
import { EventQueue } from './queue.js';
import { batchOf, ownDigest, type SimulatedRun, sharedDigest } from './runs.js';
import { type Series, timeOf, untold } from './series.js';

const SECOND_US = 1_000_000;
/** From an order of the engine to the agent's first execution for it. */
const REACTION_US = SECOND_US;
/** Runs of one family in the sweep of a deep test. */
const SWEEP_INTERVAL_US = SECOND_US;
/** What the node mates of a failing GPU ran is told no more often than this. */
const MATES_FRESH_US = 10 * 60 * SECOND_US;

export interface WorldObserver {
  effects(effects: Effects, nowUs: number): void;
  progress?(doneUs: number, ofUs: number): void;
  /** Everything that is to be learned has happened. */
  finished?(): boolean;
}

/** A fleet on a virtual clock: agents that run, fail and obey, and the engine's own code that decides about them. */
export class World {
  readonly scenario: Scenario;
  readonly engine: SimulatedEngine;
  readonly nodes: readonly SimulatedNode[];
  readonly gpus: readonly SimulatedGpu[];
  readonly targets: readonly Target[];
  readonly startUs: number;
  readonly endUs: number;
  leftOut = 0;
  readonly #seed: number;
  readonly #cadences: readonly Cadence[];
  readonly #queue = new EventQueue<() => void>();
  readonly #byId = new Map<string, SimulatedGpu>();
  readonly #observer: WorldObserver;
  /** Records that wait for the store, oldest first; null = it is there. */
  #waiting: CoreRecord[] | null = null;
  #nowUs: number;
  #orders = 0;

  constructor(scenario: Scenario, rules: Rules, seed: number, observer: WorldObserver) {
    this.scenario = scenario;
    this.#seed = seed;
    this.#observer = observer;
    this.#cadences = cadencesOf(scenario.fleet);
    this.startUs = ORIGIN_US - scenario.warmupHours * HOUR_US;
    this.endUs = ORIGIN_US + scenario.hours * HOUR_US;
    this.#nowUs = this.startUs;
    const random = (...name: (string | number)[]) => new Random(seed, ...name);
    this.nodes = makeFleet(scenario.fleet, random);
    this.gpus = this.nodes.flatMap((node) => node.gpus);
    for (const gpu of this.gpus) this.#byId.set(gpu.id, gpu);
    this.engine = new SimulatedEngine(rules, (effects, nowUs) => this.#onEffects(effects, nowUs));
    this.targets = assignFaults(scenario, this.nodes, random);
    for (const target of this.targets) this.#addSources(target, random);
  }

  run(): void {
    this.#start();
    for (;;) {
      const nextUs = Math.min(
        this.#queue.nextUs,
        this.#waiting === null ? this.engine.dueUs : Number.POSITIVE_INFINITY,
      );
      if (nextUs > this.endUs) break;
      this.#nowUs = Math.max(this.#nowUs, nextUs);
      this.#observer.progress?.(this.#nowUs - this.startUs, this.endUs - this.startUs);
      if (this.#queue.nextUs <= nextUs) this.#queue.take()?.();
      else this.#timer();
      if (this.#observer.finished?.() === true) return;
    }
    this.#nowUs = this.endUs;
    this.#observer.progress?.(this.endUs - this.startUs, this.endUs - this.startUs);
  }

  #start(): void {
    for (const node of this.nodes) {
      this.#hello(node);
      for (const gpu of node.gpus) this.#firstRuns(gpu);
    }
    for (const gpu of this.gpus) this.#plan(gpu);
    this.#planUpdates();
    this.#planTransient();
    this.#planAnomalies();
    for (const event of this.scenario.events) {
      this.#queue.at(ORIGIN_US + event.atHours * HOUR_US, () => this.#happen(event));
    }
  }

  // What the engine hears

  #commit(record: CoreRecord): void {
    if (this.#waiting !== null) this.#waiting.push(record);
    else this.engine.commit(record, this.#nowUs);
  }

  #hello(node: SimulatedNode): void {
    this.#commit(helloOf(node, this.scenario.fleet, this.#cadences, this.#nowUs));
    for (const gpu of node.gpus) {
      for (const series of [...gpu.series.values()].flat()) series.over = true;
      gpu.series.clear();
      const device = this.engine.state.devices.get(gpu.id);
      for (const { id, work } of device === undefined ? [] : remainingDirectives(device, this.engine.state.config))
        this.#order(gpu, id, work);
    }
  }

  /** Every family runs once, cleanly, on all SMs: from then on a GPU is a clean member of its cohorts. */
  #firstRuns(gpu: SimulatedGpu): void {
    gpu.toldUs = this.#nowUs;
    this.#report(
      gpu,
      this.#cadences.map(({ family }) => this.#run(gpu, { family, kind: RunKind.SCHEDULED, timeUs: this.#nowUs })),
    );
  }

  #report(gpu: SimulatedGpu, runs: readonly SimulatedRun[]): void {
    const { node } = gpu;
    node.sequence += 1;
    const record: BatchRecord = {
      kind: 'batch',
      node: node.name,
      spoolId: node.spoolId,
      sequence: node.sequence,
      buildId: `build-${node.build}`,
      testBuild: false,
      batch: batchOf(runs, gpu.id, gpu.sms, node.skewUs),
    };
    this.#commit(record);
  }

  /** A run that is clean unless told otherwise. */
  #run(
    gpu: SimulatedGpu,
    fields: Pick<SimulatedRun, 'family' | 'kind' | 'timeUs'> & Partial<SimulatedRun>,
  ): SimulatedRun {
    const failing = fields.failing ?? [];
    return {
      sms: gpu.sms,
      failing,
      siblingsRun: gpu.sms.length - 1,
      siblingsPassed: gpu.sms.length - Math.max(1, failing.length),
      directive: '',
      goldenIntact: true,
      temperatureC: temperatureAt(this.scenario.environment, fields.timeUs),
      ...fields,
    };
  }

  /** Tells the engine of the clean runs until a time, as if their rows had come one by one. */
  #tell(gpu: SimulatedGpu, untilUs: number): void {
    const { node, id, toldUs } = gpu;
    if (!node.up || untilUs <= toldUs) return;
    const temperatureC = temperatureAt(this.scenario.environment, untilUs);
    const units = this.engine.state.devices.get(id)?.units ?? [];
    const clean: SpanOfUnit[] = [];
    const ran: { family: number; runs: number; executions: number }[] = [];
    for (const { family, periodUs } of this.#cadences) {
      const runs = Math.floor(untilUs / periodUs) - Math.floor(toldUs / periodUs);
      if (runs <= 0) continue;
      ran.push({ family, runs, executions: runs * gpu.sms.length });
      for (const unit of units) {
        if (unit.family === family)
          clean.push({ family, sm: unit.sm, executions: runs, directiveId: '', temperatureC });
      }
    }
    for (const series of [...gpu.series.values()].flat()) {
      const runs = untold(series, untilUs);
      if (runs <= 0) continue;
      series.told += runs;
      const sms = series.sm === null ? gpu.sms.length : 1;
      const sm = series.sm ?? gpu.sms.find((other) => !units.some((unit) => unit.sm === other)) ?? 0;
      ran.push({ family: series.family, runs, executions: runs * sms });
      const executions = runs * sms;
      clean.push({ family: series.family, sm, executions, directiveId: series.directive, temperatureC });
    }
    gpu.toldUs = untilUs;
    if (ran.length > 0)
      this.#commit({ kind: 'span', node: node.name, deviceId: id, fromUs: toldUs, untilUs, ran, clean });
  }

  /** Before a failure: what its node's other GPUs ran speaks for or against the node. */
  #tellNode(gpu: SimulatedGpu, untilUs: number): void {
    for (const mate of gpu.node.gpus) {
      if (mate === gpu || untilUs - mate.toldUs > MATES_FRESH_US) this.#tell(mate, untilUs);
    }
  }

  #timer(): void {
    const { dueUs: ratesUs } = this.engine.state.fleet.rates;
    if (ratesUs !== null && ratesUs <= this.#nowUs) for (const gpu of this.gpus) this.#tell(gpu, this.#nowUs);
    for (const id of this.engine.dueDevices(this.#nowUs)) {
      const gpu = this.#byId.get(id);
      if (gpu !== undefined) this.#tell(gpu, this.#nowUs);
    }
    this.#commit({ kind: 'timer' });
  }

  // What fails

  #addSources({ fault, number, gpus }: Target, random: (...name: (string | number)[]) => Random): void {
    for (const { gpu, onsetUs, sms, families } of gpus) {
      const own = (...name: (string | number)[]) => random('fault', number, gpu.index, ...name);
      const times = { originUs: ORIGIN_US, onsetUs };
      // One rate for all families of a GPU: a burst of a fault is one burst.
      const rate = new FailureRate(fault, this.scenario.environment, own('rate'), times);
      const used = this.#cadences.filter(({ family }) => families === null || families.includes(family));
      for (const { family } of used) {
        const shared = fault.digest === 'shared';
        const goldenIntact = fault.golden === 'intact';
        gpu.sources.push({ fault: fault.name, family, sms, rate, shared, goldenIntact, random: own('runs', family) });
      }
    }
  }

  /** The next failing scheduled run of each source. */
  #plan(gpu: SimulatedGpu): void {
    gpu.generation += 1;
    for (const source of gpu.sources) this.#planSource(gpu, source, this.#nowUs);
  }

  #planSource(gpu: SimulatedGpu, source: Source, fromUs: number): void {
    const { generation } = gpu;
    const cadence = this.#cadences.find(({ family }) => family === source.family);
    if (cadence === undefined) return;
    const next = nextFailingRun(source, { phaseUs: 0, periodUs: cadence.periodUs }, fromUs, this.endUs);
    if (next === null) return;
    this.#queue.at(next.timeUs, () => {
      if (gpu.generation !== generation) return;
      if (gpu.node.up && this.#takesPart(gpu)) this.#failScheduled(gpu, source, next);
      this.#planSource(gpu, source, this.#resumeUs(gpu, next.timeUs));
    });
  }

  /** A GPU that is out of service only runs what the engine orders. */
  #takesPart(gpu: SimulatedGpu): boolean {
    const state = this.engine.state.devices.get(gpu.id)?.state;
    return state === 'HEALTHY' || state === 'SUSPECT';
  }

  readonly #failingRuns = new Map<SimulatedGpu, { fromUs: number; count: number }>();

  /** From when on the next failing run is looked for: after too many, when their window is over. */
  #resumeUs(gpu: SimulatedGpu, timeUs: number): number {
    const { failingRuns, perHours } = this.scenario.limits;
    const windowUs = perHours * HOUR_US;
    const seen = this.#failingRuns.get(gpu);
    const now = seen !== undefined && timeUs < seen.fromUs + windowUs ? seen : { fromUs: timeUs, count: 0 };
    const count = now.count + 1;
    this.#failingRuns.set(gpu, { ...now, count });
    if (count < failingRuns) return timeUs;
    this.leftOut += 1;
    return now.fromUs + windowUs - 1;
  }

  #failScheduled(gpu: SimulatedGpu, source: Source, { timeUs, sms }: FailingRun): void {
    const { family, goldenIntact } = source;
    this.#tellNode(gpu, timeUs - 1);
    gpu.toldUs = timeUs;
    const failing = sms.map((sm) => ({ sm, digest: this.#digest(source, timeUs) }));
    const first = this.#run(gpu, { family, kind: RunKind.SCHEDULED, timeUs, failing, goldenIntact });
    // The agent asks each failing SM once more before it reports.
    const reruns = sms.map((sm) => {
      const again = this.#failsAt(gpu, family, sm, timeUs) ? [{ sm, digest: this.#digest(source, timeUs) }] : [];
      const { siblingsRun, siblingsPassed } = first;
      return this.#run(gpu, {
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
    this.#report(gpu, [first, ...reruns]);
  }

  #digest({ shared, fault, family, random }: Source, timeUs: number): number {
    return shared ? sharedDigest(fault, family, timeUs) : ownDigest(random.word(), family, timeUs);
  }

  #failsAt(gpu: SimulatedGpu, family: number, sm: number, timeUs: number): boolean {
    return gpu.random.happens(this.#probability(gpu, family, sm, timeUs));
  }

  /** That an execution goes wrong, for whatever reason. */
  #probability(gpu: SimulatedGpu, family: number, sm: number | null, timeUs: number): number {
    let passes = 1 - this.scenario.transientRate;
    for (const source of gpu.sources) {
      if (source.family !== family) continue;
      if (sm === null) passes *= (1 - source.rate.at(timeUs)) ** source.sms.length;
      else if (source.sms.includes(sm)) passes *= 1 - source.rate.at(timeUs);
    }
    return 1 - passes;
  }

  #highest(gpu: SimulatedGpu, family: number, sm: number | null): number {
    let passes = 1 - this.scenario.transientRate;
    for (const source of gpu.sources) {
      if (source.family !== family) continue;
      if (sm === null) passes *= (1 - source.rate.highest) ** source.sms.length;
      else if (source.sms.includes(sm)) passes *= 1 - source.rate.highest;
    }
    return 1 - passes;
  }

  /** Healthy units that fail once: one Poisson process over the fleet. */
  #planTransient(): void {
    const perHour = this.#cadences.map(({ periodUs }) => (HOUR_US / periodUs) * this.scenario.fleet.sms);
    const total = perHour.reduce((sum, rate) => sum + rate, 0) * this.gpus.length * this.scenario.transientRate;
    const random = new Random(this.#seed, 'transient');
    const next = (fromUs: number): void => {
      const timeUs = fromUs + random.exponential(total / HOUR_US);
      if (!(timeUs <= this.endUs)) return;
      this.#queue.at(timeUs, () => {
        const gpu = this.gpus[random.below(this.gpus.length)];
        const family = pick(this.#cadences, perHour, random.uniform()).family;
        const sm = gpu?.sms[random.below(gpu.sms.length)] ?? 0;
        if (gpu?.node.up === true && this.#takesPart(gpu)) this.#failOnce(gpu, family, sm, timeUs, random);
        next(timeUs);
      });
    };
    next(this.startUs);
  }

  /** False alarms of one monitor: one Poisson process over the fleet, from time 0 on. */
  #planAnomalies(): void {
    const random = new Random(this.#seed, 'anomalies');
    const perUs = (this.scenario.anomaliesPerDay * this.gpus.length) / (24 * HOUR_US);
    const next = (fromUs: number): void => {
      const timeUs = Math.floor(fromUs + random.exponential(perUs));
      if (!(timeUs <= this.endUs)) return;
      this.#queue.at(timeUs, () => {
        const gpu = this.gpus[random.below(this.gpus.length)];
        if (gpu !== undefined) this.#alarm(gpu, timeUs);
        next(timeUs);
      });
    };
    next(ORIGIN_US);
  }

  #alarm({ id, node }: SimulatedGpu, timeUs: number): void {
    const source = 'simulated monitor';
    this.#commit({ kind: 'anomaly', node: node.name, gpu: id, timeUs, source, type: 'numeric', job: '', jobGpus: 0 });
  }

  #failOnce(gpu: SimulatedGpu, family: number, sm: number, timeUs: number, random: Random): void {
    const atUs = Math.floor(timeUs);
    this.#tellNode(gpu, atUs - 1);
    gpu.toldUs = atUs;
    const failing = [{ sm, digest: ownDigest(random.word(), family, atUs) }];
    const { siblingsRun, siblingsPassed, ...first } = this.#run(gpu, {
      family,
      kind: RunKind.SCHEDULED,
      timeUs: atUs,
      failing,
    });
    const rerun = this.#run(gpu, { family, kind: RunKind.RERUN, timeUs: atUs, sms: [sm], siblingsRun, siblingsPassed });
    this.#report(gpu, [{ ...first, siblingsRun, siblingsPassed }, rerun]);
  }

  // What the engine orders

  #onEffects(effects: Effects, nowUs: number): void {
    this.#observer.effects(effects, nowUs);
    for (const effect of effects.directives) this.#onDirective(effect);
    for (const { deviceId, to } of effects.transitions) {
      const gpu = this.#byId.get(deviceId);
      if (gpu !== undefined && to === 'HEALTHY') this.#plan(gpu);
    }
  }

  #onDirective(effect: DirectiveEffect): void {
    const gpu = this.#byId.get(effect.deviceId);
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
    const startUs = this.#nowUs + REACTION_US;
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
    const intervalUs = SECOND_US / this.scenario.fleet.deepTestPerSecond;
    const units = work.units.map(({ family, sm, executions }) => {
      return { ...common, kind: RunKind.DEEP_TEST, family, sm, executions, intervalUs };
    });
    if (work.sweepSeconds === 0) return units;
    const longest = Math.max(0, ...work.units.map(({ executions }) => executions)) * intervalUs;
    const sweep = this.#cadences.map(({ family }) => ({
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
    const most = this.#highest(gpu, family, sm);
    let n = after;
    for (;;) {
      n += gpu.random.geometric(most);
      if (!(n <= executions)) break;
      const probability = this.#probability(gpu, family, sm, timeOf(series, n));
      if (gpu.random.happens(probability / most)) break;
    }
    if (failures >= this.scenario.limits.failuresPerDirective) {
      this.leftOut += 1;
      return;
    }
    if (n <= executions) {
      this.#queue.at(timeOf(series, n), () => {
        if (series.over) return;
        this.#failInSeries(gpu, series, n);
        if (!series.over) this.#planSeries(gpu, series, n, failures + 1);
      });
      return;
    }
    this.#queue.at(timeOf(series, executions) + 1, () => {
      if (!series.over) this.#endSeries(gpu, series);
    });
  }

  #failInSeries(gpu: SimulatedGpu, series: Series, n: number): void {
    const { family, kind, directive } = series;
    const timeUs = timeOf(series, n);
    this.#tellNode(gpu, timeUs - 1);
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
    this.#report(gpu, [this.#run(gpu, { ...run, ...failing })]);
  }

  /** A run on all SMs in which some fail. */
  #someFail(
    gpu: SimulatedGpu,
    family: number,
    source: Source | undefined,
    timeUs: number,
  ): Pick<SimulatedRun, 'sms' | 'failing'> {
    const sms = source?.sms ?? gpu.sms;
    const rate = source?.rate.at(timeUs) ?? this.scenario.transientRate;
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
    return source === undefined ? ownDigest(gpu.random.word(), family, timeUs) : this.#digest(source, timeUs);
  }

  #endSeries(gpu: SimulatedGpu, series: Series): void {
    series.over = true;
    this.#tell(gpu, this.#nowUs);
    const all = gpu.series.get(series.directive);
    if (all === undefined || !all.every(({ over }) => over)) return;
    gpu.series.delete(series.directive);
    this.#commit({
      kind: 'directive-status',
      node: gpu.node.name,
      directiveId: series.directive,
      state: 'DONE',
      reason: '',
    });
  }

  // What happens to the fleet

  /** Nodes that a visible fault reaches run another driver from then on. */
  #planUpdates(): void {
    for (const { fault, updates } of this.targets) {
      for (const { node, atUs } of updates) this.#queue.at(atUs, () => this.#update(node, fault.name));
    }
  }

  #update(node: SimulatedNode, driver: string): void {
    for (const gpu of node.gpus) this.#tell(gpu, this.#nowUs);
    node.driver = driver;
    node.build += 1;
    this.#hello(node);
    for (const gpu of node.gpus) {
      // Its first runs under the new driver fail as all others do.
      const broken = gpu.sources.some(({ rate }) => rate.at(this.#nowUs) > 0);
      if (!broken) this.#firstRuns(gpu);
      this.#plan(gpu);
    }
  }

  #happen(event: PlannedEvent): void {
    const gpu = this.gpus[event.gpu];
    switch (event.what) {
      case 'quarantine':
      case 'reinstate':
      case 'deep_test':
      case 'condemn':
        if (gpu !== undefined) this.#operator(gpu, ACTIONS[event.what]);
        break;
      case 'release_incidents':
        this.#answerIncidents('RELEASE');
        break;
      case 'confirm_incidents':
        this.#answerIncidents('CONFIRM');
        break;
      case 'repair':
        if (gpu !== undefined) this.#repair(gpu);
        break;
      case 'new_build':
        for (const node of this.#nodesOf(event)) this.#update(node, node.driver);
        break;
      case 'driver_update':
        for (const node of this.#nodesOf(event)) this.#update(node, `${node.driver}+1`);
        break;
      case 'agent_loss':
        for (const node of this.#nodesOf(event)) this.#lose(node, event.hours);
        break;
      case 'store_outage':
        this.#waiting ??= [];
        this.#queue.at(this.#nowUs + event.hours * HOUR_US, () => this.#storeIsBack());
        break;
    }
  }

  #nodesOf({ node, nodes }: PlannedEvent): readonly SimulatedNode[] {
    return this.nodes.slice(node, node + nodes);
  }

  #operator(gpu: SimulatedGpu, action: OperatorAction): void {
    this.#tell(gpu, this.#nowUs);
    this.#orders += 1;
    const directiveId = `simulated-order-${this.#orders}`;
    this.#commit({
      kind: 'operator',
      directiveId,
      gpu: gpu.id,
      action,
      reason: 'planned in the scenario',
      actor: 'operator',
    });
  }

  /** An operator says of every open incident that the GPUs are at fault, or that they are not. */
  #answerIncidents(decision: 'RELEASE' | 'CONFIRM'): void {
    for (const { id, endedUs } of [...this.engine.state.fleet.incidents]) {
      if (endedUs !== null) continue;
      this.#commit({
        kind: 'incident-order',
        incident: id,
        decision,
        reason: 'planned in the scenario',
        actor: 'operator',
      });
    }
  }

  /** Its faults end, and its agent starts again under another build, as after a replacement of the driver or the board's firmware. */
  #repair(gpu: SimulatedGpu): void {
    this.#tell(gpu, this.#nowUs);
    for (const { rate } of gpu.sources) rate.endUs = Math.min(rate.endUs, this.#nowUs);
    gpu.node.build += 1;
    this.#hello(gpu.node);
  }

  #lose(node: SimulatedNode, hours: number): void {
    for (const gpu of node.gpus) this.#tell(gpu, this.#nowUs);
    node.up = false;
    this.#commit({ kind: 'node-left', node: node.name });
    for (const gpu of node.gpus) {
      for (const series of [...gpu.series.values()].flat()) series.over = true;
      gpu.series.clear();
    }
    this.#queue.at(this.#nowUs + hours * HOUR_US, () => {
      node.up = true;
      for (const gpu of node.gpus) gpu.toldUs = this.#nowUs;
      this.#hello(node);
    });
  }

  #storeIsBack(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const record of waiting) this.engine.commit(record, this.#nowUs);
  }
}

const ACTIONS = {
  quarantine: 'QUARANTINE',
  reinstate: 'REINSTATE',
  deep_test: 'SCHEDULE_DEEP_TEST',
  condemn: 'CONDEMN',
} as const;

/** The entry that a uniform number in [0, 1) falls on. */
function pick<T>(entries: readonly T[], weights: readonly number[], uniform: number): T {
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return entries[at < 0 ? entries.length - 1 : at] as T;
}
