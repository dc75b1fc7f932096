import { eventually } from '@sentinel/test-kit';

const POLL_MS = 50;

/** `eventually`, with what is waited for in front: the tests here are read as a sequence of such waits. */
export function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  intervalMs = POLL_MS,
): Promise<T> {
  return eventually(probe, { what, timeoutMs, intervalMs });
}
