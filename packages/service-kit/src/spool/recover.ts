import { SentinelError } from '../errors.js';
import type { LogRecord } from '../segment-log/index.js';
import { decodeEntry } from './entry.js';
import { FileTally } from './file-tally.js';
import { SequenceIndex, type Slot } from './sequence-index.js';

export interface Recovered {
  readonly index: SequenceIndex;
  readonly tally: FileTally;
}

/**
 * Rebuilds what the spool knows from the records of the log, oldest first. Of two entries of one sequence the later counts.
 * @throws SentinelError DATA_LOSS where a record is missing that was not forgotten
 */
export async function recover(dir: string, records: AsyncIterable<LogRecord>): Promise<Recovered> {
  let forgotten = 0n;
  let last = 0n;
  const tally = new FileTally();
  const slots = new Map<bigint, Slot>();
  for await (const { position, record } of records) {
    const entry = decodeEntry(record);
    tally.add(position.segment);
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
  return { index, tally };
}

function missing(dir: string, sequence: bigint, last: bigint): SentinelError {
  return new SentinelError({
    code: 'DATA_LOSS',
    message: `the spool ${dir} lacks record ${sequence} of ${last}`,
    hint: 'Restore its files, or remove the folder: a new spool is begun and what was not yet sent is lost.',
  });
}
