/** What verification finds damaged is mended without a person, where copies are configured. */
import { type OpenCopy, openCopy } from './copies.js';
import type { Repairer } from './repairer.js';

const BY = 'verification';

/** Mends these entries; undefined where no copy is configured: then an operator decides. */
export type Repair = (entries: readonly number[]) => Promise<void>;

export function repairFrom(repairer: Repairer, places: readonly string[]): Repair | undefined {
  if (places.length === 0) return undefined;
  return async (entries) => {
    const copies: OpenCopy[] = [];
    try {
      for (const place of places) copies.push(await openCopy(place));
      await repairer.repair(copies, BY, entries);
    } finally {
      await Promise.all(copies.map((copy) => copy.close()));
    }
  };
}
