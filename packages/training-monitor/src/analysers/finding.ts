import type { Severity } from '@sentinel/monitor-kit/severity';

/** Names as the engine has them. */
export type FindingType =
  | 'REPLICA_MISMATCH'
  | 'REPLAY_MISMATCH'
  | 'CHECKPOINT_DIVERGENCE'
  | 'GRADIENT_NORM_SPIKE'
  | 'LOSS_SPIKE'
  | 'CROSS_RANK_DIVERGENCE'
  | 'INVARIANT_VIOLATION';

/** Which detector found it; the engine learns the false alarms of each apart. */
export type Detector =
  | 'replica'
  | 'replay'
  | 'checkpoint'
  | 'checkpoint-size'
  | 'gradient-norm'
  | 'rank-gradient-norm'
  | 'layer-norm'
  | 'reduced-norm'
  | 'rank-effect-norm'
  | 'rank-effect-loss'
  | 'loss'
  | 'plateau'
  | 'range'
  | 'setting'
  | 'nonfinite'
  | 'product-checksum';

/** What one rank computed or holds. */
export interface Answer {
  readonly rank: number;
  /** Lower-case hexadecimal digits; '' = the rank gave none. */
  readonly digest: string;
  /** Computed again. */
  readonly again: boolean;
}

/** Answers that had to be equal. */
export interface Compared {
  readonly answers: readonly Answer[];
  /** Comparisons of this kind in which the accused agreed since its last mismatch, or since the run began. */
  readonly agreedBefore: number;
  readonly asked: boolean;
}

/** What an analyser saw in one run of a job. */
export interface Finding {
  readonly type: FindingType;
  readonly detector: Detector;
  readonly severity: Severity;
  /** One = accused; several = it is one of them, or all of them; all of a job accuse none. */
  readonly ranks: readonly number[];
  readonly step: number;
  /** Microseconds since the Unix epoch. */
  readonly timeUs: number;
  /** In the unit of the detector, as `detail` says. */
  readonly value: number;
  readonly limit: number;
  /** One sentence for people. */
  readonly detail: string;
  readonly compared?: Compared;
  /** What else it is about, such as a file: another is another finding. */
  readonly about?: string;
}

/** When and where a finding was made. */
export type Moment = Pick<Finding, 'step' | 'timeUs'>;
