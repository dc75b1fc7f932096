import { familyName } from '@sentinel/correlation-engine/core';
import { ConfigError } from '@sentinel/service-kit/config';
import { cadencesOf } from '../world/families.js';
import type { Fault, FleetSpec, PlannedEvent } from './scenario.js';

/** What is wrong with a value beside others: its key and a sentence. */
export interface Contradiction {
  readonly key: string;
  readonly reason: string;
}

/** Where faults strike, and how long there is for them. */
export interface Stage extends FleetSpec {
  /** Simulated after the warm-up. */
  readonly hours: number;
}

/** Families that the fleet runs, or why its schedule cannot be read. */
export function familiesOf(fleet: FleetSpec): readonly string[] | Contradiction {
  try {
    return cadencesOf(fleet).map(({ family }) => familyName(family));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { key: 'fleet.schedule', reason: error.message };
  }
}

/** A fault has to strike something that is there and runs. */
export function checkFault(
  fault: Fault,
  fleet: Stage,
  families: readonly string[],
  earlier: readonly Fault[],
): Contradiction[] {
  const found: Contradiction[] = [];
  const nodes = Math.ceil(fleet.gpus / fleet.gpusPerNode);
  if (fault.family !== 'all' && !families.includes(fault.family)) {
    const reason = `this fleet does not run ${fault.family} but ${families.join(', ')}; fleet.families: all runs every family of each type`;
    found.push({ key: 'faults.family', reason });
  }
  if (fault.gpu !== null) found.push(...within('faults.gpu', fault.gpu, fleet.gpus, 'GPUs'));
  if (fault.node !== null) found.push(...within('faults.node', fault.node, nodes, 'nodes'));
  if (fault.sm !== null) found.push(...within('faults.sm', fault.sm, fleet.sms, 'SMs'));
  found.push(...tooMany(fault, fleet.gpus, nodes), ...tooLate(fault, fleet.hours));
  if (fault.stopHours !== null && fault.stopHours <= fault.startHours)
    found.push({ key: 'faults.stop_hours', reason: 'expected a time after start_hours' });
  if (earlier.some(({ name }) => name === fault.name))
    found.push({ key: 'faults.name', reason: `${fault.name} is the name of an earlier fault` });
  return found;
}

/** From the first one that is named, in a row; drawn ones may be any. */
function tooMany({ kind, gpu, node, count }: Fault, gpus: number, nodes: number): Contradiction[] {
  // Software reaches every node unless it names the first one.
  if (kind === 'software' && node === null) return [];
  const ofNodes = kind === 'node' || kind === 'software';
  const [first, all, what] = ofNodes ? ([node ?? 0, nodes, 'nodes'] as const) : ([gpu ?? 0, gpus, 'GPUs'] as const);
  // That the first one is not there is said of itself.
  if (first >= all || first + count <= all) return [];
  const from = first === 0 ? '' : `, ${all - first} from number ${first} on`;
  return [{ key: 'faults.count', reason: `the fleet has ${all} ${what}${from}` }];
}

/** A GPU whose fault never begins would count as missed. Software may still be on its way when the simulation ends. */
function tooLate({ kind, startHours, spreadHours }: Fault, hours: number): Contradiction[] {
  if (startHours >= hours && hours > 0)
    return [
      { key: 'faults.start_hours', reason: `begins when the simulation is over, which goes on for ${hours} hours` },
    ];
  if (kind === 'software' || startHours + spreadHours <= hours) return [];
  return [
    { key: 'faults.spread_hours', reason: `some begin when the simulation is over, which goes on for ${hours} hours` },
  ];
}

export function checkEvent(event: PlannedEvent, fleet: FleetSpec): Contradiction[] {
  const nodes = Math.ceil(fleet.gpus / fleet.gpusPerNode);
  return [...within('events.gpu', event.gpu, fleet.gpus, 'GPUs'), ...within('events.node', event.node, nodes, 'nodes')];
}

function within(key: string, index: number, count: number, what: string): Contradiction[] {
  return index < count ? [] : [{ key, reason: `the fleet has ${count} ${what}, numbered from 0` }];
}
