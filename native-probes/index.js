import { existsSync } from 'node:fs';
import { join } from 'node:path';

const release = join(import.meta.dirname, 'build', 'Release');

/** Folder of the committed known answers, one JSON file per backend and family: `cpu/fma32.json`. */
export const knownAnswersPath = join(import.meta.dirname, 'known-answers');

/** Path of the native addon; of the one that can falsify results if `test`. Throws when it is not built, unless told otherwise. */
export function addonPath({ test, mustExist = true }) {
  const path = join(release, test ? 'sentinel_probes_test.node' : 'sentinel_probes.node');
  if (mustExist && !existsSync(path)) {
    throw new Error(
      `The native probes are not built: ${path} is missing. Run "pnpm --filter @sentinel/native-probes build".`,
    );
  }
  return path;
}
