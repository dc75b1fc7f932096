import type { Family } from '../evidence/model/terms.js';
import type { Bin } from '../evidence/posterior/bins.js';

/** `correlation_engine.tmr` of the configuration, under its own names: there are the units, defaults and sources. */
export interface TmrSettings {
  readonly enabled: boolean;
  readonly interval_seconds: number;
  readonly timeout_ms: number;
  readonly selection_strategy: 'round_robin' | 'random' | 'suspect_priority';
}

/** `correlation_engine.trust_graph`, likewise. */
export interface TrustGraphSettings {
  readonly enabled: boolean;
  readonly snapshot_interval_seconds: number;
}

/** Where the answer of a device stands, and what it computed. */
export interface CanaryAnswer {
  /** By position in the SMs of the device; 0 = it did not run. */
  readonly digests: readonly number[];
  /** Event time. */
  readonly timeUs: number;
  readonly buildId: string;
  readonly testBuild: boolean;
  readonly bin: Bin;
  /** A loud fault, which is reported as such, fell into the run. */
  readonly loudFault: boolean;
  /** A mismatch of this very run counts as a hard observation already. */
  readonly counted: boolean;
}

export interface CanaryMember {
  readonly deviceId: string;
  readonly node: string;
  readonly directiveId: string;
  readonly answer: CanaryAnswer | null;
}

/** One seed on three devices, while answers are awaited. */
export interface OpenCanary {
  /** 32 hex digits. */
  readonly id: string;
  readonly family: Family;
  /** That all members belong to. */
  readonly cohort: string;
  readonly epoch: number;
  readonly index: number;
  readonly openedUs: number;
  /** Whoever has not answered by then does not vote. */
  readonly dueUs: number;
  /** The suspect that the two others were asked about; null = nobody. */
  readonly suspect: string | null;
  readonly members: readonly CanaryMember[];
}

export type CanaryOutcome = 'AGREED' | 'DISSENT' | 'NO_MAJORITY' | 'TIMEOUT';

export interface ClosedCanary {
  readonly id: string;
  readonly family: Family;
  readonly gpus: readonly string[];
  readonly outcome: CanaryOutcome;
  readonly dissenters: readonly string[];
  /** Without an answer. */
  readonly silent: readonly string[];
  readonly openedUs: number;
  readonly closedUs: number;
}

/** Two devices that computed the same thing at least once; a < b. */
export interface TrustEdge {
  readonly a: string;
  readonly b: string;
  readonly agreed: number;
  readonly disagreed: number;
  readonly lastUs: number;
}

/** How often others were asked about one suspect since its first observation. */
export interface TieBreaks {
  readonly deviceId: string;
  readonly firstUs: number;
  readonly count: number;
}

/** What belongs to canaries and the trust graph. */
export interface CanaryFacts {
  /** When the next one is due; null = none is planned. */
  readonly nextUs: number | null;
  /** The device that the last one began with: round robin goes on after it. */
  readonly cursor: string;
  readonly tieBreaks: readonly TieBreaks[];
  readonly open: readonly OpenCanary[];
  /** Newest first. */
  readonly closed: readonly ClosedCanary[];
  /** Asked for while too many were open. */
  readonly leftOut: number;
  /** By cohort of devices. */
  readonly trust: Readonly<Record<string, readonly TrustEdge[]>>;
  /** Edges that bounded memory had no room for. */
  readonly edgesForgotten: number;
  /** When the graph is stored as it is then; null = nothing new since the last time. */
  readonly snapshotUs: number | null;
}

/** The graph as it was at one time. */
export interface TrustSnapshot {
  readonly takenUs: number;
  readonly graph: Pick<CanaryFacts, 'trust' | 'edgesForgotten' | 'closed'>;
}

export const NO_CANARIES: CanaryFacts = {
  nextUs: null,
  cursor: '',
  tieBreaks: [],
  open: [],
  closed: [],
  leftOut: 0,
  trust: {},
  edgesForgotten: 0,
  snapshotUs: null,
};

/** Canaries that await answers at one time. */
export const MAX_OPEN = 16;
/** Outcomes that stay visible. */
export const MAX_CLOSED = 64;
/** Times that others are asked about one suspicion. */
export const MAX_TIE_BREAKS = 3;
/** Suspects whose tie-breaks are counted; of older ones the count begins anew. */
export const MAX_TIE_BREAK_DEVICES = 1024;

/** The open canary that a directive belongs to. */
export function canaryOfDirective(facts: CanaryFacts, directiveId: string | undefined): OpenCanary | undefined {
  if (directiveId === undefined) return undefined;
  return facts.open.find(({ members }) => members.some((member) => member.directiveId === directiveId));
}
