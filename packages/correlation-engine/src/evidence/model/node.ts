import type { CoverageHour } from './coverage.js';
import type { NodeFailing } from './fleet.js';
import type { Family, Identity } from './terms.js';

/** A node that said hello. */
export interface NodeState {
  node: string;
  buildId: string;
  testBuild: boolean;
  identity: Identity;
  connected: boolean;
  /** Engine clock minus agent clock, measured at hello. */
  offsetUs: number;
  /** Newest event time taken from this node: event times never go back. */
  lastEventUs: number;
  registeredUs: number;
  deviceIds: string[];
  /** What operators said about probing; absent = nothing yet. */
  control?: NodeControl;
  /** By cohort key; bounded. Absent = none of its devices ever failed. Replaced as a whole. */
  failing?: Record<string, NodeFailing>;
  /** Devices that an operator called faulty themselves: they do not speak against the node until then. */
  released?: { untilUs: number; devices: string[] };
  /** When all devices of the node were last asked for a burst because one of them failed. */
  matesAskedUs?: number;
  /** What it ran in the hour of its newest run; absent = nothing that the ledger does not know. */
  coverage?: CoverageHour;
  /** Families for which its golden differs from that of most others. Absent = it never did. Replaced as a whole. */
  brokenGoldens?: readonly BrokenGolden[];
  /** What the ledger was told of the node's monitors, the newest first. Absent = nothing. Bounded; replaced as a whole. */
  jobEvents?: readonly ToldEvents[];
}

/** Events of monitors of one kind, as far as the ledger was told of them within an hour. */
export interface ToldEvents {
  readonly kind: string;
  readonly sinceUs: number;
  readonly told: number;
  readonly untold: number;
}

export interface BrokenGolden {
  readonly family: Family;
  readonly sinceUs: number;
  /** Seeds in a row for which it has agreed since. */
  readonly agreed: number;
}

/** Orders about probing that hold until they are replaced. */
export interface NodeControl {
  /** untilUs 0 = until resumed. */
  pauses: { gpu: string; untilUs: number; reason: string }[];
  /** Null = the agent's own file. */
  schedule: { yaml: string; version: string } | null;
}
