import type { Detector, Finding } from './finding.js';

/** What they show is of a file, of the settings, or of a replay itself. */
const EXPLAINED: ReadonlySet<Detector> = new Set(['replay', 'checkpoint', 'checkpoint-size', 'setting']);

/** May a replay say whose hardware it was? A replica that the others outvoted is known already; of a tie it is not. */
export function wantsReplay({ detector, compared, ranks }: Finding): boolean {
  if (EXPLAINED.has(detector)) return false;
  return compared === undefined || ranks.length > 1;
}
