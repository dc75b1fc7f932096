/**
 * `offline/definitions.json`: what each figure counts, for each framework and version. Offline verifiers carry it, so that a pack
 * cannot say itself what its figures mean.
 */
import { DEFINITIONS_VERSION, FRAMEWORKS } from './controls.js';

export const DEFINITIONS_FILE = new URL('../../offline/definitions.json', import.meta.url);

/** The same text with the current version as it is now. */
export function withCurrent(text: string): string {
  const versions = JSON.parse(text) as { [version: string]: unknown };
  return `${JSON.stringify({ ...versions, [DEFINITIONS_VERSION]: FRAMEWORKS }, null, 2)}\n`;
}
