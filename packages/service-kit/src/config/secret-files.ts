import { readFileSync, statSync } from 'node:fs';
import { errorCode } from './file-source.js';
import { FormatError } from './formats.js';
import { describeOrigin, type ProblemList } from './problems.js';
import { isUnset, type Setting, type Settings } from './resolve.js';
import { siblingKey } from './schema.js';
import type { SectionName } from './sections/index.js';

const GROUP_OR_OTHERS_WRITE = 0o022;
const GROUP_OR_OTHERS_READ = 0o044;
const MAX_SECRET_BYTES = 65_536;

/**
 * Fills secrets whose value is in a file. Between value and file the higher layer wins; both in one layer is a mistake.
 * `optional` names secrets whose file need not exist yet, for commands that make it.
 */
export function readSecretFiles(
  section: SectionName,
  settings: Settings,
  optional: readonly string[],
  problems: ProblemList,
): Settings {
  const filled = new Map(settings);
  for (const path of settings.values()) {
    if (path.leaf.fillsKey === undefined || isUnset(path.value)) continue;
    const secret = settings.get(siblingKey(path.key, path.leaf.fillsKey));
    if (secret === undefined || !fileWins(section, secret, path, problems)) continue;
    const value = readSecret(section, secret, path, optional.includes(secret.key), problems);
    if (value !== undefined) filled.set(secret.key, { ...secret, value, origin: path.origin, layer: path.layer });
  }
  return filled;
}

function fileWins(section: SectionName, secret: Setting, path: Setting, problems: ProblemList): boolean {
  if (secret.layer === 0 || isUnset(secret.value)) return true;
  if (secret.layer === path.layer) {
    const reason = `set both by value (${describeOrigin(secret.origin)}) and by file; keep one of them`;
    problems.add('error', { origin: path.origin, key: `${section}.${path.key}`, reason });
  }
  return path.layer > secret.layer;
}

function readSecret(
  section: SectionName,
  secret: Setting,
  path: Setting,
  optional: boolean,
  problems: ProblemList,
): unknown {
  const file = String(path.value);
  const place = { origin: path.origin, key: `${section}.${path.key}` };
  try {
    const { mode, size } = statSync(file);
    if (size > MAX_SECRET_BYTES) throw new FormatError(`at most ${MAX_SECRET_BYTES} bytes in ${file}`);
    if ((mode & GROUP_OR_OTHERS_WRITE) !== 0) {
      const reason = `${file} may be written by others (mode ${octal(mode)}): run chmod 600 on it`;
      problems.add('error', { ...place, reason });
    } else if ((mode & GROUP_OR_OTHERS_READ) !== 0) {
      const reason = `${file} may be read by others (mode ${octal(mode)}); chmod 600 keeps it secret`;
      problems.add('warning', { ...place, reason });
    }
    const text = readFileSync(file, 'utf8').trim();
    if (text === '') throw new FormatError(`a secret in ${file}, which is empty`);
    return secret.leaf.format.parse(text);
  } catch (error) {
    if (optional && errorCode(error) === 'ENOENT') return undefined;
    const reason =
      error instanceof FormatError ? `expected ${error.expected}` : `cannot read ${file} (${errorCode(error)})`;
    problems.add('error', { ...place, reason });
    return undefined;
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}

/** Reports files that a key names and this process may not read. */
export function checkReadableFiles(section: SectionName, settings: Settings, problems: ProblemList): void {
  for (const { key, leaf, value, origin } of settings.values()) {
    if (leaf.readable === undefined || isUnset(value)) continue;
    if (leaf.readable !== 'always' && settings.get(siblingKey(key, leaf.readable.whileSibling))?.value !== true)
      continue;
    try {
      readFileSync(String(value));
    } catch (error) {
      const late = leaf.readable !== 'always' && leaf.readable.late === true;
      const reason = `cannot read ${String(value)} (${errorCode(error)})${late ? '; it is looked for again' : ''}`;
      problems.add(late ? 'warning' : 'error', { origin, key: `${section}.${key}`, reason });
    }
  }
}
