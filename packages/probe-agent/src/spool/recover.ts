import { SentinelError } from '@sentinel/service-kit/errors';
import type { LogRecord } from '@sentinel/service-kit/segment-log';
import { decodeEntry } from './entry.js';
import { SequenceIndex, type Slot } from './sequence-index.js';

/**
 * Rebuilds the index from the records of the log, oldest first. Of two entries of one sequence the later counts.
 * @throws SentinelError DATA_LOSS where a record is missing that was not forgotten
 */
export async function recoverIndex(dir: string, records: AsyncIterable<LogRecord>): Promise<SequenceIndex> {
  let forgotten = 0n;
  let last = 0n;
  const slots = new Map<bigint, Slot>();
  for await (const { position, record } of records) {
    const entry = decodeEntry(record);
    if (entry.kind !== 'forgotten') slots.set(entry.sequence, { ...position, kind: entry.kind });
    else if (entry.sequence > forgotten) forgotten = entry.sequence;
    if (entry.sequence > last) last = entry.sequence;
  }
  const index = new SequenceIndex(forgotten + 1n);
  for (let sequence = forgotten + 1n; sequence <= last; sequence += 1n) {
    const slot = slots.get(sequence);
    if (slot === undefined) throw missing(dir, sequence, last);
    index.append(slot);
  }
  return index;
}

function missing(dir: string, sequence: bigint, last: bigint): SentinelError {
  return new SentinelError({
    code: 'DATA_LOSS',
    message: `the spool ${dir} lacks record ${sequence} of ${last}`,
    hint: 'Restore its files, or remove the folder: a new spool is begun and what was not yet sent is lost.',
  });
}
