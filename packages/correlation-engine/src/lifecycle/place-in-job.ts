import type { InJob } from '../evidence/job-record.js';

/** Where in a job, for the ledger: what is not known is left out. */
export function placeOf({ rank, step, framework }: InJob): Record<string, string | number> {
  return {
    ...(rank === undefined ? {} : { rank }),
    ...(step === undefined ? {} : { step }),
    ...(framework === undefined || framework === '' ? {} : { framework }),
  };
}
