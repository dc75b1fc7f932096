import { createHash } from 'node:crypto';
import { type Quantiles, quantilesOf } from '../figures/quantiles.js';
import { type Fault, isHardware, type Scenario } from '../scenario/scenario.js';
import type { IncidentSeen, Level, Outcome } from './outcome.js';

/** How the GPUs, or the nodes, that one fault struck fared in all runs. Hours since the fault's onset. */
export interface FaultSummary {
  readonly name: string;
  readonly kind: Fault['kind'];
  /** What is right: its GPUs quarantined, its node named, or nothing taken out. */
  readonly right: 'quarantine' | 'name the node' | 'hold';
  readonly struck: number;
  readonly mismatch: Quantiles;
  readonly suspect: Quantiles;
  readonly quarantine: Quantiles;
  /** Until a deep test showed the fault again, and an operator was asked to condemn the GPU. */
  readonly condemn: Quantiles;
  /** Of a fault of nodes: until an incident names them. */
  readonly attributed: Quantiles | null;
}

/** All runs of one scenario. The same scenario and seed give the same bytes. */
export interface Summary {
  readonly scenario: string;
  readonly description: string;
  /** What must be known to read the figures. */
  readonly notes: readonly string[];
  readonly seed: number;
  readonly replicates: number;
  readonly gpus: number;
  readonly hours: number;
  readonly faults: readonly FaultSummary[];
  readonly falseQuarantines: number;
  /** Per 10,000 GPU-years. */
  readonly falseQuarantineRate: number;
  readonly falseSuspects: number;
  /** GPUs with a fault of their own that were not quarantined, and nodes with one that nothing named. */
  readonly missed: number;
  readonly incidents: number;
  readonly nodesCordoned: number;
  /** Times that a person was called: once for each incident. */
  readonly pages: number;
  /** Hours out of service, by what had put the GPU there. */
  readonly out: Readonly<Record<'fault' | 'false quarantine' | 'order', Quantiles>>;
  /** GPUs that came back into service though a fault of their own went on: hours until they were quarantined again. */
  readonly backDefective: Quantiles;
  readonly suspectHours: Quantiles;
  readonly observations: number;
  readonly records: number;
  readonly leftOut: number;
  /** Ledger events by name, in all runs. */
  readonly events: Readonly<Record<string, number>>;
  /** SHA-256 over every event that left the engine. */
  readonly digest: string;
  /** Of the first run. */
  readonly first: { readonly timeline: readonly Level[]; readonly incidents: readonly IncidentSeen[] };
  /** Hours to QUARANTINED of every GPU with a fault of its own; null = never. */
  readonly quarantineHours: readonly (number | null)[];
}

const HOURS_PER_YEAR = 8766;

/** @param outcomes at least one */
export function summarize(scenario: Scenario, seed: number, outcomes: readonly Outcome[]): Summary {
  const all = <T>(of: (outcome: Outcome) => readonly T[]): T[] => outcomes.flatMap(of);
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const faults = scenario.faults.map((fault) => faultSummary(fault, outcomes));
  const incidents = all((outcome) => outcome.incidents);
  const falseQuarantines = sum((outcome) => outcome.falseQuarantines.length);
  const gpuYears = (outcomes.length * scenario.fleet.gpus * (scenario.hours + scenario.warmupHours)) / HOURS_PER_YEAR;
  const outOf = (cause: string): Quantiles =>
    quantilesOf(all(({ returns }) => returns.filter(({ after }) => after === cause).map(({ hours }) => hours)));
  const nodesCordoned = incidents.filter(({ node }) => node !== '').length;
  return {
    scenario: scenario.name,
    description: scenario.description,
    notes: notesOf(scenario),
    seed,
    replicates: outcomes.length,
    gpus: scenario.fleet.gpus,
    hours: scenario.hours,
    faults,
    falseQuarantines,
    falseQuarantineRate: (falseQuarantines * 10_000) / gpuYears,
    falseSuspects: sum((outcome) => outcome.falseSuspects),
    missed: faults.reduce((total, fault) => total + missedBy(fault), 0),
    incidents: incidents.length - nodesCordoned,
    nodesCordoned,
    pages: incidents.length,
    out: { fault: outOf('fault'), 'false quarantine': outOf('false quarantine'), order: outOf('order') },
    backDefective: quantilesOf(
      all(({ returns }) => returns.filter(({ defective }) => defective).map(({ againHours }) => againHours)),
    ),
    suspectHours: quantilesOf(all(({ suspectExits }) => suspectExits)),
    observations: sum((outcome) => outcome.observations),
    records: sum((outcome) => outcome.records),
    leftOut: sum((outcome) => outcome.leftOut),
    events: totals(outcomes),
    digest: createHash('sha256')
      .update(outcomes.map((outcome) => outcome.digest).join('\n'))
      .digest('hex'),
    first: { timeline: outcomes[0]?.timeline ?? [], incidents: outcomes[0]?.incidents ?? [] },
    quarantineHours: all(({ struck }) =>
      struck.filter((one) => isHardware(one)).map(({ quarantineHours }) => quarantineHours),
    ),
  };
}

function notesOf({ engine, faults }: Scenario): string[] {
  if (engine['mode'] !== 'observe') return [];
  const missed = faults.some(isHardware) ? ' Every fault of hardware counts as missed.' : '';
  return [`The engine is in observe mode: by itself it takes nothing out of service.${missed}`];
}

function faultSummary(fault: Fault, outcomes: readonly Outcome[]): FaultSummary {
  const struck = outcomes.flatMap((outcome) => outcome.struck.filter((one) => one.fault === fault.name));
  const named = outcomes.flatMap(({ nodesAttributed }) => nodesAttributed);
  const right = isHardware(fault) ? 'quarantine' : fault.kind === 'node' ? 'name the node' : 'hold';
  return {
    name: fault.name,
    kind: fault.kind,
    right,
    struck: struck.length,
    mismatch: quantilesOf(struck.map(({ mismatchHours }) => mismatchHours)),
    suspect: quantilesOf(struck.map(({ suspectHours }) => suspectHours)),
    quarantine: quantilesOf(struck.map(({ quarantineHours }) => quarantineHours)),
    condemn: quantilesOf(struck.map(({ condemnHours }) => condemnHours)),
    attributed: fault.kind === 'node' ? quantilesOf(named) : null,
  };
}

function missedBy({ right, quarantine, attributed }: FaultSummary): number {
  if (right === 'quarantine') return quarantine.missing;
  return attributed?.missing ?? 0;
}

function totals(outcomes: readonly Outcome[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { events } of outcomes)
    for (const [name, count] of Object.entries(events)) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
