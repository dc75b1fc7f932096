/** From where the settings of this engine come, for the ledger: nobody orders a change of a file by name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { ConfiguredBy } from './core.js';

/**
 * @param files that were read, absolute
 * @param before of the reading before; null = the process has just started
 */
export function configuredBy(files: readonly string[], before: ConfiguredBy | null): ConfiguredBy {
  const known = new Map((before?.files ?? []).map(({ path, sha256 }) => [path, sha256]));
  const { uid, username } = owner();
  return {
    cause: before === null ? 'start' : 'reload',
    host: hostname(),
    uid,
    user: username,
    files: files.map((path) => ({ path, sha256: digestOf(path), before: known.get(path) ?? '' })),
  };
}

/** A container may run under a number that has no name. */
function owner(): { readonly uid: number; readonly username: string } {
  try {
    return userInfo();
  } catch {
    return { uid: process.getuid?.() ?? -1, username: '' };
  }
}

/** '' where the file went meanwhile. */
function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return '';
  }
}
