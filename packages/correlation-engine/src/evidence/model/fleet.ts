import type { HelloDevice, HelloRecord } from '../record.js';

/** How a node fails in one (cohort, family), for gate 5. */
export interface NodeFailing {
  /** When the node newly failed: its first mismatch after 7 days without one. */
  newUs: number;
  /** When it failed again, which passing faults hardly do; null = it did not. */
  againUs: number | null;
  lastUs: number;
  /** Seed of the newest scheduled mismatch, whose wrong digest is counted in the cohort; epoch 0 = none. */
  epoch: number;
  index: number;
}

export interface BreadthEntry extends NodeFailing {
  node: string;
}

/** How many nodes gave which wrong digest for one seed. */
export interface SeedVotes {
  epoch: number;
  index: number;
  /** Nodes that gave any. */
  voters: number;
  /** The most frequent; bounded. */
  digests: { digest: number; nodes: number }[];
}

/** One (cohort, family) in which devices fail. Replaced as a whole, never mutated. */
export interface CohortFailures {
  /** Nodes that failed within 7 days, the one with the newest mismatch first; bounded. */
  nodes: readonly BreadthEntry[];
  /** Newest seed first; bounded. */
  votes: readonly SeedVotes[];
  /** Mismatches by chance that a healthy device is expected to show per hour, and devices on its node, as of the newest failing device. */
  chancePerHour: number;
  devicesPerNode: number;
  /** An operator said that what failed until then is hardware; 0 = nobody did. */
  releasedUs: number;
}

/** Too many nodes fail alike for a fault of their devices; or too many devices of one node. */
export type IncidentPattern = 'PROBE_OR_SOFTWARE' | 'NODE_CORRELATED';
/**
 * OPEN and CONFIRMED hold quarantines. CONFIRMED: an operator agrees that it is no fault of the devices, and what it explains does
 * not count against them. RELEASED: an operator says that it is. CLOSED: it fell quiet.
 */
export type IncidentState = 'OPEN' | 'CONFIRMED' | 'RELEASED' | 'CLOSED';

export interface Incident {
  id: string;
  pattern: IncidentPattern;
  state: IncidentState;
  /** Key of the cohort; '' for a fault of a node. */
  cohort: string;
  /** '' for a fault of a cohort. */
  node: string;
  openedUs: number;
  /** When it was released or closed; null = it holds. */
  endedUs: number | null;
  /** Why it was opened, for a person. */
  reason: string;
  /** Distinct nodes that failed, and the first of them. */
  nodeCount: number;
  nodes: string[];
  /** Devices of the node that failed; [] for a fault of a cohort. */
  devices: string[];
  /** Most frequent wrong digest, once the incident ended; null = none yet, or the digests differ. */
  modalDigest: number | null;
  /** A directive to cordon the node went out. */
  cordoned: boolean;
  injected: boolean;
  /** Who confirmed or released it, and why; '' = nobody. */
  actor: string;
  actorReason: string;
}

/** What belongs to no single device or node. */
export interface FleetFacts {
  /** Commit times of automatic quarantines of the last 24 h, for gate 7. */
  automaticQuarantinesUs: number[];
  /** By cohort key; bounded. */
  failing: Record<string, CohortFailures>;
  /** Those that hold, then those that ended, the newest first; bounded. */
  incidents: Incident[];
  /** When all held devices are looked at again because a device, a node or a cohort changed; null = nothing changed. */
  reviewUs: number | null;
  /** When nodes are looked at whose hour of coverage is over; null or absent = none has one. */
  coverageUs?: number | null;
  /** Confirmed devices by model (posterior/shrinkage.ts has the key). */
  confirmed: Record<string, number>;
  rates: LearnedRates;
  soft: SoftFacts;
  /** By device: a connected node named it while another connected node had it. Bounded; absent = none. Replaced, never mutated. */
  claims?: Readonly<Record<string, Claim>>;
}

/** What a node said of a device that it was not given. */
export type Claim = Omit<HelloRecord, 'kind' | 'devices'> & { readonly described: HelloDevice };

/** What is known of the sources of soft events, and of the jobs that the newest of them ran in. Bounded; replaced, never mutated. */
export interface SoftFacts {
  sources: Record<string, { sinceDay: number; events: number }>;
  jobs: Record<string, { day: number; events: number; gpus: number }>;
}

/** What healthy devices show, as last learned from the whole fleet. */
export interface LearnedRates {
  /** When it is learned again; null = no wrong result asks for it. */
  dueUs: number | null;
  /** By cohort key, of cohorts with wrong results alone: what their healthy devices ran, and how often that was wrong. */
  cohorts: Record<string, { executions: number; failures: number }>;
  /** Years of service by model. */
  years: Record<string, number>;
}
