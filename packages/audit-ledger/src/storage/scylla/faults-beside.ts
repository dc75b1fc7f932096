/** Damage beside the entries of a log: its head, the records of producers, the index, the event ids. */
import { allRows } from '@sentinel/service-kit/cql/rows';
import { BLOCK_ENTRIES } from '../../index/block.js';
import type { SourceFault } from '../../verify/source.js';
import { TamperedStoreError } from '../errors.js';
import { MalformedHeadError } from '../head.js';
import { blockRows, decodeEventIds } from './blocks.js';
import { readCheckpoints } from './checkpoints.js';
import { HeadRow } from './head-row.js';
import type { LogRows } from './log-rows.js';
import { readMarks } from './marks.js';
import { WINDOW_BLOCKS } from './newest-block.js';

/** @param size entries that are verified */
export async function faultsBeside(rows: LogRows, size: number): Promise<SourceFault[]> {
  const blocks = Math.floor(size / BLOCK_ENTRIES);
  const faults = [...(await headFaults(rows, size)), ...(await guardFaults(rows, size))];
  for (let block = Math.max(0, blocks - WINDOW_BLOCKS); block < blocks; block += 1)
    faults.push(...(await eventIdFaults(rows, block)));
  return faults;
}

async function headFaults(rows: LogRows, size: number): Promise<SourceFault[]> {
  const at = { first: Math.max(size - 1, 0), last: Math.max(size - 1, 0) };
  try {
    const stored = await new HeadRow(rows.cluster, rows.log).read();
    if (stored === undefined) return [{ ...at, what: 'head is missing' }];
    const { head, damaged } = stored;
    if (damaged !== '') return [{ ...at, what: `head is damaged: its row says another ${damaged}` }];
    if (head.size < size) return [{ ...at, what: `head speaks of ${head.size} entries only` }];
    await readMarks(rows, head.commits);
    return await checkpointFaults(rows, head.epoch, at);
  } catch (error) {
    if (error instanceof MalformedHeadError || error instanceof SyntaxError)
      return [{ ...at, what: 'head is damaged' }];
    if (error instanceof TamperedStoreError) return [{ ...at, what: error.message }];
    throw error;
  }
}

/** A checkpoint is of the writer that signed it: of the head's epoch, unless that one has only just taken over. */
async function checkpointFaults(rows: LogRows, epoch: number, at: Omit<SourceFault, 'what'>): Promise<SourceFault[]> {
  const newest = (await readCheckpoints(rows, 'checkpoints')).at(-1)?.epoch;
  const last = Math.max(0, ...(await allRows(rows.epochs(at.last, at.last + 1))));
  if (newest === undefined || (newest <= epoch && newest >= Math.min(last, epoch))) return [];
  return [{ ...at, what: `the newest checkpoint is said to be of epoch ${newest}, the head is of ${epoch}` }];
}

/** A log of more than its genesis has had one since its first checkpoint. */
async function guardFaults(rows: LogRows, size: number): Promise<SourceFault[]> {
  if (size <= 1 || (await readCheckpoints(rows, 'rollback_guard')).length > 0) return [];
  const what = 'there is no checkpoint in rollback_guard: nothing shows whether the log went back in time';
  return [{ first: size - 1, last: size - 1, what, apart: true }];
}

async function eventIdFaults(rows: LogRows, block: number): Promise<SourceFault[]> {
  const content = await blockRows(rows, 'event_ids').load(block);
  if (content === undefined || decodeEventIds(content) !== undefined) return [];
  return [{ ...rangeOf(block), what: `event ids of block ${block} are damaged; a start makes them again` }];
}

function rangeOf(block: number): { first: number; last: number } {
  return { first: block * BLOCK_ENTRIES, last: (block + 1) * BLOCK_ENTRIES - 1 };
}
