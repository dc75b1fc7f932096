import type { Random } from '../random.js';
import type { Fault, Scenario } from '../scenario/scenario.js';
import { HOUR_US, ORIGIN_US } from '../world/environment.js';
import { FAMILY_NUMBERS } from '../world/families.js';
import type { SimulatedGpu, SimulatedNode } from '../world/fleet.js';

/** Where one fault of the scenario strikes. */
export interface Target {
  readonly fault: Fault;
  readonly number: number;
  readonly gpus: readonly Hit[];
  /** Nodes that a visible fault brings another driver, with or without a GPU that fails under it. */
  readonly updates: readonly Arrival[];
}

/** When a fault comes to a node. */
interface Arrival {
  readonly node: SimulatedNode;
  readonly atUs: number;
}

export interface Hit {
  readonly gpu: SimulatedGpu;
  readonly onsetUs: number;
  readonly sms: readonly number[];
  /** null = all that the GPU runs. */
  readonly families: readonly number[] | null;
}

type Draw = (...name: (string | number)[]) => Random;

/** Draws what the scenario leaves open. */
export function assignFaults({ faults }: Scenario, nodes: readonly SimulatedNode[], draw: Draw): Target[] {
  return faults.map((fault, number) => {
    const random = draw('target', number);
    const families = fault.family === 'all' ? null : [FAMILY_NUMBERS.get(fault.family) ?? 0];
    const arrivals = fault.kind === 'software' ? rollout(fault, nodes, random) : null;
    const hits = struck(fault, nodes, arrivals, random).map(({ gpu, onsetUs }) => {
      const sms = fault.kind === 'unit' || fault.kind === 'sm' ? [fault.sm ?? random.below(gpu.sms.length)] : gpu.sms;
      return { gpu, onsetUs, sms: sms.filter((sm) => gpu.sms.includes(sm)), families };
    });
    return { fault, number, gpus: hits, updates: fault.visible ? (arrivals ?? firstOnsets(hits)) : [] };
  });
}

function firstOnsets(hits: readonly Hit[]): Arrival[] {
  const first = new Map<SimulatedNode, number>();
  for (const { gpu, onsetUs } of hits) first.set(gpu.node, Math.min(onsetUs, first.get(gpu.node) ?? onsetUs));
  return [...first].map(([node, atUs]) => ({ node, atUs }));
}

interface Onset {
  readonly gpu: SimulatedGpu;
  readonly onsetUs: number;
}

function struck(
  fault: Fault,
  nodes: readonly SimulatedNode[],
  arrivals: readonly Arrival[] | null,
  random: Random,
): Onset[] {
  const startUs = startOf(fault);
  const spread = (): number => Math.floor(startUs + random.uniform() * fault.spreadHours * HOUR_US);
  if (arrivals !== null) return affected(fault, arrivals, spread, random);
  if (fault.kind === 'node') {
    return chosen(nodes, fault.node, fault.count, random).flatMap((node) => {
      const onsetUs = spread();
      return node.gpus.map((gpu) => ({ gpu, onsetUs }));
    });
  }
  const gpus = nodes.flatMap((node) => node.gpus);
  return chosen(gpus, fault.gpu, fault.count, random).map((gpu) => ({ gpu, onsetUs: spread() }));
}

/** Node by node: some canaries first, the others spread evenly after them. */
function rollout(fault: Fault, nodes: readonly SimulatedNode[], random: Random): Arrival[] {
  const { canaryNodes, canaryHours, spreadHours } = fault;
  const startUs = startOf(fault);
  const restUs = startUs + canaryNodes * canaryHours * HOUR_US;
  const reached = fault.node === null ? shuffled(nodes, random) : nodes.slice(fault.node, fault.node + fault.count);
  return reached.map((node, at) => {
    const canaryUs = startUs + at * canaryHours * HOUR_US;
    const atUs = at < canaryNodes ? canaryUs : restUs + random.uniform() * spreadHours * HOUR_US;
    return { node, atUs: Math.floor(atUs) };
  });
}

/** A share of the GPUs that the software reaches fails under it, when it comes or, creeping, each in its own time. */
function affected(fault: Fault, arrivals: readonly Arrival[], spread: () => number, random: Random): Onset[] {
  return arrivals.flatMap(({ node, atUs }) => {
    const gpus = node.gpus.filter(() => fault.fraction >= 1 || random.happens(fault.fraction));
    return gpus.map((gpu) => ({ gpu, onsetUs: fault.creeping ? spread() : atUs }));
  });
}

function startOf({ startHours }: Fault): number {
  return ORIGIN_US + startHours * HOUR_US;
}

/** `count` in a row from the one that is named, or drawn ones. */
function chosen<T>(all: readonly T[], first: number | null, count: number, random: Random): T[] {
  if (first !== null) return all.slice(first, first + count);
  return random.choose(Math.min(count, all.length), all.length).map((at) => all[at] as T);
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const order = [...all];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const other = random.below(i + 1);
    [order[i], order[other]] = [order[other] as T, order[i] as T];
  }
  return order;
}
