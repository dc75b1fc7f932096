import type { AuditEntry } from '@sentinel/contracts/sentinel/v1/audit.js';
import { detailOf } from '../../harness/ledger-client.js';
import type { Round } from './rounds.js';

/** An entry of the ledger that tells of something wrong. */
export interface Named {
  /** '' = of nobody in particular, as where there is no majority. */
  readonly gpu: string;
  /** As `canary`. */
  readonly detector: string;
  /** Since the harm, when it was read in the ledger. */
  readonly seconds: number;
  /** What the entry says. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** 'wrong' = a device is named that nothing was done to; 'nothing' = none is named. */
export type Outcome = 'right' | 'wrong' | 'nothing';

/** Null where the entry tells of nothing wrong: of replicas that agree, or INFO. */
export function namedBy(entry: AuditEntry, seconds: number): Named | null {
  const detail = detailOf(entry);
  const { event, outcome, severity, source } = detail;
  const isHard = event === 'job_comparison' && outcome !== 'AGREED';
  const isSoft = event === 'anomaly' && severity !== 'INFO';
  if (!isHard && !isSoft) return null;
  return { gpu: entry.gpu, detector: String(source).replace('inference-monitor/', ''), seconds, detail };
}

/** @param harmed its device; null = nothing was done to any, and then nothing may be told at all */
export function outcomeOf(harmed: string | null, named: readonly Named[]): Outcome {
  if (harmed === null) return named.length === 0 ? 'nothing' : 'wrong';
  const devices = named.map(({ gpu }) => gpu).filter((gpu) => gpu !== '');
  if (devices.length === 0) return 'nothing';
  return devices.every((gpu) => gpu === harmed) ? 'right' : 'wrong';
}

/** What was done in a round, what it changed, and what was told. */
export interface Told {
  readonly round: Round;
  /** An answer to a canary, or to a user, is another one than before, asked directly. */
  readonly changed: { readonly canary: boolean; readonly user: boolean };
  readonly named: readonly Named[];
  readonly outcome: Outcome;
}
