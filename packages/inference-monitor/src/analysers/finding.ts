import type { Severity } from '@sentinel/monitor-kit/severity';

/** Names as the engine has them. */
export type FindingType =
  | 'LOGIT_DRIFT'
  | 'ENTROPY_ANOMALY'
  | 'KL_DIVERGENCE'
  | 'INVARIANT_VIOLATION'
  | 'CANARY_MISMATCH'
  | 'REPLAY_MISMATCH'
  | 'REPLICA_MISMATCH';

/** Which detector found it; the engine learns the false alarms of each apart. */
export type Detector =
  | 'weights'
  | 'canary'
  | 'replay'
  | 'probability'
  | 'nonfinite'
  | 'range'
  | 'logit-drift'
  | 'logprob-drift'
  | 'entropy-drift'
  | 'length-drift'
  | 'output-drift'
  | 'kl'
  | 'entropy-range'
  | 'spectral'
  | 'logit-ewma';

/** What a device of one replica computed or holds. Devices of a replica that answered together have one answer each: on the wire a group. */
export interface Answer {
  readonly node: string;
  /** "" = a CPU, or not known. */
  readonly gpu: string;
  /** Name of the replica. */
  readonly replica: string;
  /** Lower-case hexadecimal digits. */
  readonly digest: string;
  /** Computed again. */
  readonly again: boolean;
}

/** Answers that had to be equal. */
export interface Compared {
  /** The accused first. */
  readonly answers: readonly Answer[];
  /** Comparisons of this kind in which the accused agreed since its last mismatch, or since it is known. */
  readonly agreedBefore: number;
  readonly asked: boolean;
  /** What they computed from was proven to be the same bits: they differ in computing. */
  readonly stateEqual: boolean;
}

/** What an analyser saw of one replica of an inference server. */
export interface Finding {
  readonly type: FindingType;
  readonly detector: Detector;
  readonly severity: Severity;
  /** Whose devices it may be, as numbered by the server; "all" = each that takes part in an answer. They share the evidence. */
  readonly workers: readonly number[] | 'all';
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** In the unit of the detector, as `detail` says. */
  readonly value: number;
  readonly limit: number;
  /** One sentence for people. */
  readonly detail: string;
  readonly compared?: Compared;
  /** What is told once while it lasts: called where it could not be told, so that it is found anew. */
  readonly onUntold?: () => void;
}
