import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

/** A monitor alone takes many seconds to start where all cores are busy. */
const WITHIN_MS = 60_000;
const POLL_MS = 20;

/** Waits until `look` gives something. @throws Error that names what was waited for */
export async function until<T>(what: string, look: () => T | undefined | false, timeoutMs = WITHIN_MS): Promise<T> {
  for (const end = performance.now() + timeoutMs; ; await delay(POLL_MS)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
  }
}

/** An empty folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-monitor-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
