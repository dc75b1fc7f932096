import { SentinelError } from '../errors.js';

/** Bytes that cannot be what was written. */
export function corruptError(file: string, offset: number, why: string): SentinelError {
  return new SentinelError({
    code: 'DATA_LOSS',
    reason: 'MALFORMED',
    message: `${file} is damaged at byte ${offset}: ${why}`,
    hint: 'Restore the file from a copy; nothing was changed in it.',
  });
}

/** A failed write, and whether it was for want of room. */
export function ioError(dir: string, cause: unknown): SentinelError {
  const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC' || (cause as NodeJS.ErrnoException).code === 'EDQUOT';
  return new SentinelError({
    code: full ? 'RESOURCE_EXHAUSTED' : 'UNAVAILABLE',
    reason: full ? 'DISK_FULL' : 'STORE_UNAVAILABLE',
    message: full ? `the disk of ${dir} is full` : `writing to ${dir} failed (${(cause as Error).message})`,
    hint: full ? 'Free some space on it.' : 'Check the disk.',
    cause,
  });
}

/** More waits for the disk than may wait. */
export function overloadedError(dir: string): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `the disk of ${dir} does not keep up with what is to be written`,
    retryAfterMs: 1_000,
    hint: 'Use a faster disk, or send less.',
  });
}
