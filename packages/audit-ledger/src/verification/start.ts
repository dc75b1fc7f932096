/** The verification job at work beside a writer. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import { dataFolder } from '../storage/data-folder.js';
import type { Condition } from './condition.js';
import { type JobOptions, VerificationJob } from './job.js';
import { pacer } from './pace.js';
import { writePart } from './part-file.js';

const HOUR_MS = 3_600_000;
/** A start has other things to do first. */
const FIRST_DELAY_MS = 60_000;
/** Longest time that a timer holds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Beside the log, not in it: whoever copies the log does not copy what was known of it. */
export function partPath({ data_dir: folder }: Pick<AuditLedgerConfig, 'data_dir'>): string {
  return `${dataFolder(folder)}.verification`;
}

export function startVerification(
  stack: StopStack,
  config: AuditLedgerConfig,
  condition: Condition,
  options: Pick<JobOptions, 'openSource' | 'key' | 'turns' | 'verified' | 'repair'>,
  failed: (error: unknown) => void,
): void {
  const { auto_verify_interval_hours: intervalHours, auto_verify_depth: depth } = config.verification;
  if (intervalHours === 0) return;
  const save = (): Promise<void> => writePart(partPath(config), condition.part);
  const job = new VerificationJob({
    ...options,
    condition,
    depth,
    intervalHours,
    nowMs: Date.now,
    pacer,
    save,
  });
  const intervalMs = Math.min(intervalHours * HOUR_MS, MAX_TIMER_MS);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const next = (delayMs: number): void => {
    timer = setTimeout(() => {
      running = job.run().catch(failed);
      void running.then(() => next(intervalMs));
    }, delayMs).unref();
  };
  const sinceMs = Date.now() - condition.part.atMs;
  next(Math.max(FIRST_DELAY_MS, Math.min(intervalMs, intervalMs - sinceMs)));
  stack.push('verification', async () => {
    job.stop();
    clearTimeout(timer);
    await running;
    clearTimeout(timer);
  });
}
