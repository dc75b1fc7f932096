import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Characters of a build id. */
const LENGTH = 16;

/**
 * Names the binaries that make results: the release, the addon and the agent's own compiled files. A test build differs because its
 * addon does.
 */
export function buildId(version: string, addonFile: string, codeFolder: string): string {
  const hash = createHash('sha256').update(version).update('\0');
  hash.update(createHash('sha256').update(readFileSync(addonFile)).digest());
  for (const name of codeFiles(codeFolder)) {
    hash.update(`${name}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(codeFolder, name)))
        .digest(),
    );
  }
  return hash.digest('hex').slice(0, LENGTH);
}

function codeFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && !name.endsWith('.test.js') && !name.startsWith('testing/'))
    .sort();
}
