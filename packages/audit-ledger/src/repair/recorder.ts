/** Appends what the journal holds to the log. */
import type { Ledger } from '../commit/ledger.js';
import { repairDraft } from '../commit/system-entries.js';
import type { PendingRepair } from './journal.js';

/** @returns seq of the entry: the same however often it is recorded */
export function recorder(ledger: Ledger): (repair: PendingRepair) => Promise<number> {
  return async (repair) => {
    const { seqs } = await ledger.record(repairDraft(repair));
    const [seq] = seqs;
    if (seq === undefined) throw new Error('the ledger gave no seq');
    return seq;
  };
}
