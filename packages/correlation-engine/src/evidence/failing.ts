import { type Draft, editFleet, editNode, fleetOf, nodeOf } from './draft.js';
import type { ObservationEffect } from './effects.js';
import { exposureOf } from './exposure.js';
import { BREADTH_KEEP_US } from './incident-end.js';
import type { DeviceState } from './model/device.js';
import type { BreadthEntry, CohortFailures, FleetFacts, NodeFailing } from './model/fleet.js';
import { RunKind } from './model/terms.js';
import { healthyRate } from './posterior/rates.js';
import { forget, type Step } from './step.js';
import { addVote } from './votes.js';

/**
 * Nodes remembered per cohort. What an incident needs is far fewer: with so many newly failing within a week, no fleet of less
 * than millions of devices is without one.
 */
export const MAX_FAILING_NODES = 256;
/** Cohorts remembered for the fleet and for one node; the longest quiet is forgotten first. */
export const MAX_FAILING_COHORTS = 256;
const MAX_FAILING_OF_NODE = 64;
const HOUR_US = 3_600_000_000;

const NOTHING: CohortFailures = { nodes: [], votes: [], chancePerHour: 0, devicesPerNode: 1, releasedUs: 0 };

export function failuresIn(fleet: FleetFacts, cohort: string): CohortFailures {
  return fleet.failing[cohort] ?? NOTHING;
}

/** As the draft sees them. */
export function failuresOf(draft: Draft, cohort: string): CohortFailures {
  return failuresIn(fleetOf(draft), cohort);
}

/** What one mismatch says that was not known of its node. */
export interface News {
  /** The node newly fails in this cohort. */
  isNew: boolean;
  /** It fails again for the first time. */
  isAgain: boolean;
}

/** Notes that a node failed in a cohort. Costs the same however many nodes fail. */
export function noteFailure(step: Step, device: DeviceState, cohort: string, observation: ObservationEffect): News {
  const { draft } = step;
  const before = recent(nodeOf(draft, observation.node)?.failing?.[cohort], observation.timeUs);
  const now = failedAgain(before, observation);
  noteOnNode(step, observation.node, cohort, now);
  const failures = failuresOf(draft, cohort);
  const votes = newSeedOf(before, now) ? addVote(failures.votes, now, observation.actualDigest) : failures.votes;
  const fleet = editFleet(draft);
  fleet.failing[cohort] = {
    ...failures,
    votes,
    nodes: withNode(step, failures.nodes, { node: observation.node, ...now }),
    chancePerHour: chancePerHour(draft, device, observation),
    devicesPerNode: Math.max(1, nodeOf(draft, observation.node)?.deviceIds.length ?? 1),
  };
  forgetQuietest(step, fleet.failing, MAX_FAILING_COHORTS, ({ nodes }) => nodes[0]?.lastUs ?? 0);
  return { isNew: before === undefined, isAgain: now.againUs !== null && (before?.againUs ?? null) === null };
}

function recent(failing: NodeFailing | undefined, timeUs: number): NodeFailing | undefined {
  return failing !== undefined && failing.lastUs > timeUs - BREADTH_KEEP_US ? failing : undefined;
}

function failedAgain(before: NodeFailing | undefined, observation: ObservationEffect): NodeFailing {
  const { timeUs, kind, epoch, index, siblingsSameDigest } = observation;
  const seed = kind === RunKind.SCHEDULED ? { epoch, index } : {};
  // The same wrong result on several SMs is no passing fault either.
  if (before === undefined)
    return {
      newUs: timeUs,
      againUs: siblingsSameDigest > 0 ? timeUs : null,
      lastUs: timeUs,
      epoch: 0,
      index: 0,
      ...seed,
    };
  return { ...before, againUs: before.againUs ?? timeUs, lastUs: Math.max(before.lastUs, timeUs), ...seed };
}

/** A node has one vote for each seed. */
function newSeedOf(before: NodeFailing | undefined, now: NodeFailing): boolean {
  return now.epoch !== 0 && (before?.epoch !== now.epoch || before.index !== now.index);
}

function withNode(step: Step, nodes: readonly BreadthEntry[], entry: BreadthEntry): BreadthEntry[] {
  const others = nodes.filter(({ node, lastUs }) => node !== entry.node && lastUs > entry.lastUs - BREADTH_KEEP_US);
  forget(step, 'failing_node', others.length + 1 - MAX_FAILING_NODES);
  return [entry, ...others].slice(0, MAX_FAILING_NODES);
}

function noteOnNode(step: Step, node: string, cohort: string, now: NodeFailing): void {
  const state = editNode(step.draft, node);
  const failing = { ...state.failing, [cohort]: now };
  forgetQuietest(step, failing, MAX_FAILING_OF_NODE, ({ lastUs }) => lastUs);
  state.failing = failing;
}

function forgetQuietest<T>(step: Step, entries: Record<string, T>, most: number, lastUs: (entry: T) => number): void {
  const keys = Object.keys(entries);
  if (keys.length <= most) return;
  const [quietest] = keys.sort((a, b) => lastUs(entries[a] as T) - lastUs(entries[b] as T) || (a < b ? -1 : 1));
  if (quietest === undefined) return;
  delete entries[quietest];
  forget(step, 'failing_cohort');
}

/** From the rate of passing faults in this cohort and from how much this device runs. */
function chancePerHour(draft: Draft, device: DeviceState, { family }: ObservationEffect): number {
  const ran = exposureOf(draft, device.id, family);
  if (ran === undefined) return 0;
  const hours = Math.max(1, (ran.lastRunUs - ran.firstRunUs) / HOUR_US);
  return (healthyRate(draft, device, family) * ran.executions) / hours;
}
