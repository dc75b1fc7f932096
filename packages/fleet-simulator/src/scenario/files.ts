import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../../config/simulations', import.meta.url));
const ENDING = '.yaml';

/** Names of the scenarios that come with SENTINEL, sorted. */
export function shippedScenarios(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => path.basename(file, ENDING))
    .sort();
}

/** The file of a scenario that comes with SENTINEL, or the path itself if it is none of their names. */
export function scenarioFile(nameOrPath: string): string {
  const shipped = path.join(FOLDER, `${nameOrPath}${ENDING}`);
  return /^[\w-]+$/.test(nameOrPath) && existsSync(shipped) ? shipped : nameOrPath;
}
