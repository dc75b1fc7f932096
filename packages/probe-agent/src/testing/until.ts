import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Waits until `look` gives something. @throws Error that names what was waited for */
export async function until<T>(what: string, timeoutMs: number, look: () => T | undefined | false): Promise<T> {
  for (const end = performance.now() + timeoutMs; ; await delay(POLL_MS)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
  }
}
