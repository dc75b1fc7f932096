import type { UplinkOrigin } from './record.js';

/** Where in a job a monitor saw something. Absent = not known, or a record of an earlier release. */
export interface InJob {
  /** Of the accused. */
  rank?: number;
  step?: number;
  /** Such as "pytorch 2.13.0 ddp". */
  framework?: string;
}

/** A monitor saw something that is no wrong result of a probe. */
export interface AnomalyRecord extends InJob {
  kind: 'anomaly';
  node: string;
  /** '' = of the node. */
  gpu: string;
  /** Devices that took part, where they are several: what speaks against each is its share. */
  gpus?: readonly string[];
  /** Which detector, for example "inference-monitor/entropy": its false positives are learned apart. */
  source: string;
  type: string;
  timeUs: number;
  /** '' = none, or not known; jobGpus 0 = not known. */
  job: string;
  jobGpus: number;
  severity?: string;
  /** What was measured, and the limit that it passed; absent = not a number. */
  value?: number;
  limit?: number;
  /** One sentence for people. */
  detail?: string;
  /** Seen by a build with fault injection; absent = no. */
  testBuild?: boolean;
}

/** What one device holds, or made, of something that several devices must have alike. */
export interface ComparedAnswer {
  readonly node: string;
  /** '' = that of the only device of its node (`jobs/only-device.ts`); where there is none, or several, it has no vote. */
  readonly gpu: string;
  readonly rank: number;
  /** Lower-case hex. */
  readonly digest: string;
  /** Computed again, to check another's answer or its own. */
  readonly again: boolean;
  /** Devices with the same number answered together; absent = alone. */
  readonly group?: number;
}

/** Devices of a job computed, or hold, what must be the same bits: the engine takes the vote. */
export interface ComparisonRecord extends InJob {
  kind: 'comparison';
  /** Of the monitor: it speaks of devices of this node alone. */
  node: string;
  /** Devices that it is about; [] = the only device of the node. */
  gpus: readonly string[];
  source: string;
  /** Name of an `AnomalyType`, such as "REPLICA_MISMATCH". */
  type: string;
  timeUs: number;
  job: string;
  jobGpus: number;
  severity?: string;
  detail?: string;
  answers: readonly ComparedAnswer[];
  /** Comparisons of this kind in which the device agreed, since it last did not. */
  agreedBefore: number;
  /** Asked for because of an earlier mismatch of the device. */
  asked: boolean;
  /** What the devices computed from was proven to be the same bits; absent = not. */
  stateEqual?: boolean;
  buildId: string;
  testBuild: boolean;
}

/** A job saved a checkpoint, for the ledger; or loaded one, to be held against what it saved. Evidence of nothing. */
export interface StoredCheckpointRecord extends InJob {
  kind: 'saved' | 'loaded';
  node: string;
  source: string;
  timeUs: number;
  job: string;
  path: string;
  algorithm: string;
  parts: readonly StoredPart[];
  /** Ranks of the node that are not among them. */
  moreParts: number;
  buildId: string;
  testBuild: boolean;
}

/** What one rank saved or loaded. */
export interface StoredPart {
  readonly rank: number;
  /** Lower-case hex. */
  readonly digest: string;
  /** What the digest is of, in lower-case hex; absent = not known, so that it cannot be compared. */
  readonly subject?: string;
  readonly tensors: number;
  /** Of the tensors. */
  readonly bytes: number;
}

/** One record of a monitor's spool: authentic, in sequence, not seen before. */
export interface MonitorReportRecord extends UplinkOrigin {
  kind: 'monitor-report';
  /** Monitor's clock, which is that of its node. */
  createdUs: number;
  /** Times are those of that clock. */
  events: readonly (AnomalyRecord | ComparisonRecord | StoredCheckpointRecord)[];
}
