import { setTimeout as delay } from 'node:timers/promises';
import type { Decision } from '../check/decisions.js';
import { sentence } from './fault.js';
import { inject } from './inject.js';
import { held, Locks } from './locks.js';
import { type PlanOptions, plan } from './plan.js';
import { replayed } from './replayed.js';
import { undisturbed } from './undisturbed.js';
import { type Verdict, verdict } from './verdict.js';
import { World, type WorldOptions } from './world.js';

/** After the last fault everything works again: then no longer than this passes without a record that is acknowledged. */
const STUCK_MS = 90_000;
/** Between two records of an agent. */
const RECORD_MS = 250;
const LOOK_MS = 200;

export type StormOptions = WorldOptions &
  PlanOptions & {
    readonly log: (line: string) => void;
    /** Looks at what is left, before it is removed. */
    readonly inspect?: (world: World, expected: readonly Decision[]) => Promise<void>;
  };

export interface Storm extends Verdict {
  readonly faults: number;
  readonly records: number;
  readonly quarantines: number;
  readonly seconds: number;
  /** What happened when. */
  readonly timeline: readonly string[];
}

/** Hurts an installation under load as the seed says, lets it recover, and compares what it has with what it was told. */
export async function storm(options: StormOptions): Promise<Storm> {
  const started = performance.now();
  const timeline: string[] = [];
  const note = (line: string): void => {
    const text = `${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}`;
    timeline.push(text);
    options.log(text);
  };
  const world = await World.start(options);
  try {
    note(`${options.replicas} replicas and ${options.agents} agents, history in ${options.history}`);
    const faults = await underLoad(world, () => injectAll(world, options, note));
    const expected = await undisturbed({ ...options, postgres: world.stores.postgres, ...world });
    note('the undisturbed run is over');
    const { lost, ...found } = await verdict(world, expected);
    const differs = await replayed(world.replicas.at(0));
    const restarts = world.replicas.all.reduce((sum, { service }) => sum + service.restarts, 0);
    note(`replicas ended by themselves ${restarts} times and were started again`);
    note(`${lost.length + differs.length} lost, ${found.doubled.length} doubled`);
    await options.inspect?.(world, expected);
    const seconds = (performance.now() - started) / 1000;
    return { ...found, lost: [...lost, ...differs], ...facts(world, expected), faults, seconds, timeline };
  } catch (error) {
    for (const { service } of world.replicas.all) note(`${service.spec.name}: ${service.tail()}`);
    throw new Error([`seed ${options.seed}`, ...timeline].join('\n'), { cause: error });
  } finally {
    await world.stop();
  }
}

function facts({ agents }: World, expected: readonly Decision[]): Pick<Storm, 'records' | 'quarantines'> {
  return {
    records: agents.reduce((sum, agent) => sum + agent.records, 0),
    quarantines: expected.filter(({ to }) => to === 'QUARANTINED').length,
  };
}

/** Agents record while `work` goes on, and deliver to the end. @throws Error where one cannot */
async function underLoad(world: World, work: () => Promise<number>): Promise<number> {
  const giveUp = new AbortController();
  const deliveries = Promise.all(world.agents.map((agent) => agent.run(giveUp.signal)));
  const recording = setInterval(() => {
    for (const agent of world.agents) agent.record();
  }, RECORD_MS);
  try {
    const done = await work();
    clearInterval(recording);
    for (const agent of world.agents) agent.fill();
    await settled(world);
    return done;
  } finally {
    clearInterval(recording);
    giveUp.abort();
    await deliveries;
  }
}

/** All is delivered. @throws Error where nothing moves any more */
async function settled({ agents }: World): Promise<void> {
  let [before, movedAt] = [-1n, performance.now()];
  while (!agents.every(({ delivered }) => delivered)) {
    const acknowledged = agents.reduce((sum, agent) => sum + agent.acknowledged, 0n);
    if (acknowledged !== before) movedAt = performance.now();
    before = acknowledged;
    if (performance.now() - movedAt > STUCK_MS)
      throw new Error(
        `all is well and nothing was acknowledged for ${STUCK_MS / 1000} s: ${agents.map(({ progress }) => progress).join('; ')}`,
      );
    await delay(LOOK_MS);
  }
}

/** @returns how many faults were injected */
async function injectAll(world: World, options: StormOptions, note: (line: string) => void): Promise<number> {
  const locks = new Locks();
  const started = performance.now();
  const under = new Set<Promise<void>>();
  let [injected, failure] = [0, null as Error | null];
  for (const { atMs, fault } of plan(options, world.inventory)) {
    while (performance.now() - started < atMs && failure === null) await delay(Math.min(LOOK_MS, atMs));
    if (failure !== null) break;
    const done = locks.run(held(fault), async () => {
      injected += 1;
      note(`${injected}: ${sentence(fault)}`);
      await inject(world, fault);
    });
    under.add(done);
    done.catch((error: unknown) => {
      note(`${sentence(fault)} could not be done: ${String(error)}`);
      failure ??= error instanceof Error ? error : new Error(String(error));
    });
  }
  await Promise.allSettled(under);
  if (failure !== null) throw failure;
  return injected;
}
