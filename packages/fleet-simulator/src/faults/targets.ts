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
    const hits = struck(fault, nodes, random).map(({ gpu, onsetUs }) => {
      const sms = fault.kind === 'unit' || fault.kind === 'sm' ? [fault.sm ?? random.below(gpu.sms.length)] : gpu.sms;
      return { gpu, onsetUs, sms: sms.filter((sm) => gpu.sms.includes(sm)), families };
    });
    return { fault, number, gpus: hits };
  });
}

function struck(
  fault: Fault,
  nodes: readonly SimulatedNode[],
  random: Random,
): { gpu: SimulatedGpu; onsetUs: number }[] {
  const startUs = ORIGIN_US + fault.startHours * HOUR_US;
  const spread = (): number => Math.floor(startUs + random.uniform() * fault.spreadHours * HOUR_US);
  if (fault.kind === 'software') return rollout(fault, nodes, random, startUs);
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
function rollout(
  { fraction, canaryNodes, canaryHours, spreadHours }: Fault,
  nodes: readonly SimulatedNode[],
  random: Random,
  startUs: number,
): { gpu: SimulatedGpu; onsetUs: number }[] {
  const order = random.choose(nodes.length, nodes.length).map((at) => nodes[at] as SimulatedNode);
  const restUs = startUs + canaryNodes * canaryHours * HOUR_US;
  return order.flatMap((node, at) => {
    const onsetUs =
      at < canaryNodes ? startUs + at * canaryHours * HOUR_US : restUs + random.uniform() * spreadHours * HOUR_US;
    const gpus = node.gpus.filter(() => fraction >= 1 || random.happens(fraction));
    return gpus.map((gpu) => ({ gpu, onsetUs: Math.floor(onsetUs) }));
  });
}

/** `count` in a row from the one that is named, or drawn ones. */
function chosen<T>(all: readonly T[], first: number | null, count: number, random: Random): T[] {
  if (first !== null) return all.slice(first, first + count);
  return random.choose(Math.min(count, all.length), all.length).map((at) => all[at] as T);
}
