/** Business facts of the ledger, counted and logged. */
import type { Logger } from '@sentinel/service-kit/logging';
import { Counter, Gauge, Histogram, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import type { LedgerEvents } from './commit/ledger.js';
import { rangesOf, rangesText } from './repair/ranges.js';
import type { RepairOutcome } from './repair/repairer.js';
import type { PruneOutcome } from './retention/keeper.js';
import { StoreFullError } from './storage/errors.js';
import type { Condition } from './verification/condition.js';
import type { VerifyReport } from './verify/verify-log.js';

export interface Gauges {
  /** By which the newest entry's time is ahead of the clock. */
  readonly aheadSeconds: () => number;
  readonly chainLength: () => number;
  readonly pendingEntries: () => number;
  readonly storageBytes: () => Promise<number>;
}

const BATCH_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface ServiceEvents extends LedgerEvents {
  verified(report: VerifyReport): void;
  callRefused(): void;
  /** @param aheadUs by which the clock went ahead, or, where negative, back */
  clockJumped(aheadUs: number): void;
  pruned(outcome: PruneOutcome, by: string): void;
  /** What was to be pruned stays until the next attempt. */
  pruneFailed(error: unknown): void;
  repaired(outcome: RepairOutcome, by: string): void;
  /** The log could not be read, or not mended, which says nothing about it. */
  verifyFailed(error: unknown): void;
}

export function createEvents(
  registry: Registry,
  log: Logger,
  condition: Condition,
  fatal: (error: unknown) => void,
): ServiceEvents {
  const registers = [registry];
  const entries = new Counter({
    name: 'sentinel_audit_entries_total',
    help: 'Entries committed since the start.',
    registers,
  });
  const seconds = new Histogram({
    name: 'sentinel_audit_batch_duration_seconds',
    help: 'Time of a group commit, from hashing to the signed checkpoint. Rising: look at the disk.',
    buckets: BATCH_SECONDS,
    registers,
  });
  const refused = new Counter({
    name: 'sentinel_audit_refused_total',
    help: 'Requests that were refused. overloaded, disk_full: nothing was lost, senders retry. conflict: a sender reuses event ids.',
    labelNames: ['reason'] as const,
    registers,
  });
  const divergences = new Counter({
    name: 'sentinel_audit_divergences_total',
    help: 'Batches that two computations disagreed on and that were not signed. Not 0: replace this machine.',
    registers,
  });
  for (const reason of ['conflict', 'stale_number', 'overloaded', 'disk_full', 'call']) refused.inc({ reason }, 0);
  return {
    committed: (count, duration) => {
      entries.inc(count);
      seconds.observe(duration);
    },
    refused: (reason) => refused.inc({ reason }),
    callRefused: () => refused.inc({ reason: 'call' }),
    clockJumped: (aheadUs) => {
      const seconds = Math.round(aheadUs / 1e6);
      log.error(
        { seconds },
        'the clock jumped: entries get the time that went on before, until it stands by the new one for 5 min',
      );
    },
    diverged: (error) => {
      divergences.inc();
      log.error({ err: error }, 'this machine computes wrong answers: a batch was dropped before it was signed');
    },
    checkpointNotKept: (error) => {
      if (!(error instanceof StoreFullError))
        log.warn({ err: error }, 'the newest checkpoint could not be kept; the log itself is durable');
    },
    fatal,
    pruned: ({ intentSeq, doneSeq, freedBytes }, by) => log.info({ intentSeq, doneSeq, freedBytes, by }, 'log pruned'),
    pruneFailed: (error) => log.error({ err: error }, 'nothing was pruned; tried again at the next cleaning'),
    repaired: ({ mended, left, seq }, by) => {
      const told = { seq, by, mended: rangesText(rangesOf(mended)), left: left.slice(0, LOGGED_FINDINGS) };
      if (left.length === 0) log.warn(told, 'log repaired: entries are again what was logged');
      else log.error(told, 'CRITICAL: the log is not what was logged after a repair; a better copy is needed');
    },
    verified: verifications(registry, log, condition),
    verifyFailed: (error) =>
      log.error(
        { err: error },
        'the log could not be verified, or what is damaged not mended; tried again at the next verification',
      ),
  };
}

/** Shows what verifications found; what is not verified yet counts as intact: opening the log recomputed its newest entries. */
export function verifications(registry: Registry, log: Logger, condition: Condition): (report: VerifyReport) => void {
  const gauge = (name: string, help: string, value: () => number): void => readGauge(registry, name, help, value);
  gauge(
    'sentinel_audit_chain_verified',
    '1: nothing is known to be wrong. 0, CRITICAL: entries are not what was logged; the log of the ledger and verify --full say which.',
    () => Number(condition.intact),
  );
  gauge(
    'sentinel_audit_last_verified_timestamp_seconds',
    'When the ledger last verified itself to the end, Unix time; 0 = never. Older than two intervals: read the log of the ledger.',
    () => condition.part.atMs / 1000,
  );
  gauge(
    'sentinel_audit_last_verified_entries',
    'Entries of the log when the ledger last verified itself to the end.',
    () => condition.part.size,
  );
  return ({ ok, firstSeq, entries, found, findings }) => {
    if (ok) log.info({ firstSeq, entries }, 'log verified');
    else
      log.error(
        { firstSeq, entries, found, findings: findings.slice(0, LOGGED_FINDINGS) },
        `CRITICAL: entries ${namesOf(findings)} are not what was logged. ${REPAIR_ACTION}`,
      );
  };
}

/** What an operator does about damage. */
export const REPAIR_ACTION =
  'Keep a copy of the log as it is now, then mend it: sentinel-audit-ledger repair --from COPY --dry-run, and without --dry-run.';

/** As many as fit a line that somebody reads; all of them `verify --full --verbose` shows. */
const LOGGED_FINDINGS = 10;

function namesOf(findings: VerifyReport['findings']): string {
  const seqs = [...new Set(findings.map(({ seq }) => seq))];
  const more = seqs.length - LOGGED_FINDINGS;
  return seqs.slice(0, LOGGED_FINDINGS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Gauges that are read when they are scraped. */
export function createGauges(registry: Registry, read: Gauges): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await value());
      },
    });
  };
  gauge(
    'sentinel_audit_received_ahead_seconds',
    'By which the newest entry is ahead of the clock. New entries get its time meanwhile: set the clock right.',
    read.aheadSeconds,
  );
  gauge('sentinel_audit_chain_length', 'Entries in the log.', read.chainLength);
  gauge(
    'sentinel_audit_pending_entries',
    'Entries that wait to be committed. Staying high: the disk is too slow.',
    read.pendingEntries,
  );
  gauge('sentinel_audit_storage_bytes', 'Bytes of the log on disk.', read.storageBytes);
}
