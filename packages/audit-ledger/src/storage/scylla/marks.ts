/**
 * High-water marks of producers. There may be a thousand of them, too many for a row that every commit swaps, so a commit stores
 * those that it raised; the first commit of each partition stores all. The newest partition alone gives them back.
 */
import { long } from '@sentinel/service-kit/cql/rows';
import type { BatchHeader } from '../../commit/record.js';
import { type ProducerMark, ProducerMarks } from '../../ingest/producers.js';
import { TamperedStoreError } from '../errors.js';
import { count, decodeDigested, encodeDigested, MalformedHeadError, producersOf } from '../head.js';
import type { Statement } from './cluster.js';
import { COMMITS_PER_BUCKET } from './geometry.js';
import type { LogRows } from './log-rows.js';
import { bytesOf } from './log-rows.js';

const WHAT = 'record of producers';

/**
 * What a commit stores; nothing where it changed nothing. The first commit of a writer stores all, since a batch of its
 * predecessor that was never committed may have left a record under the same number.
 * @param before the marks before it; undefined for the first commit of a writer
 */
export function markStatement(
  { log }: Pick<LogRows, 'log'>,
  { commit, epoch }: Pick<BatchHeader, 'commit' | 'epoch'>,
  before: readonly ProducerMark[] | undefined,
  after: readonly ProducerMark[],
): Statement[] {
  const whole = before === undefined || commit % COMMITS_PER_BUCKET === 0;
  const raised = whole ? after : raisedMarks(before, after);
  if (raised.length === 0 && !whole) return [];
  const producers = raised.map(({ producer, epoch, sequence }) => ({ producer, epoch, sequence }));
  const marks = encodeDigested({ commit, epoch, producers });
  return [
    {
      query: 'INSERT INTO marks (log, bucket, commit_no, epoch, marks) VALUES (?, ?, ?, ?, ?)',
      params: [log, Math.floor(commit / COMMITS_PER_BUCKET), long(commit), long(epoch), marks],
    },
  ];
}

/** Marks are ordered by when they were last raised, so those that were raised now are the end of the list. */
function raisedMarks(before: readonly ProducerMark[], after: readonly ProducerMark[]): readonly ProducerMark[] {
  let at = 0;
  const kept = after.findIndex((mark) => {
    while (at < before.length && before[at] !== mark) at += 1;
    at += 1;
    return at > before.length;
  });
  return kept < 0 ? [] : after.slice(kept);
}

/** Those that a log of `commits` commits knows. @throws TamperedStoreError */
export async function readMarks(rows: LogRows, commits: number): Promise<readonly ProducerMark[]> {
  if (commits === 0) return [];
  const marks = new ProducerMarks();
  for (const { producers } of await storedMarks(rows, commits)) for (const mark of producers) marks.raise(mark);
  return marks.list();
}

/** Intact records of the newest partition, of the commits below `commits`, oldest first. @throws TamperedStoreError */
async function storedMarks(rows: LogRows, commits: number): Promise<{ commit: number; producers: ProducerMark[] }[]> {
  const bucket = Math.floor((commits - 1) / COMMITS_PER_BUCKET);
  const query = 'SELECT commit_no, epoch, marks FROM marks WHERE log = ? AND bucket = ? AND commit_no < ?';
  // The highest epoch of a commit comes last.
  const found = new Map<number, ProducerMark[]>();
  for await (const row of rows.cluster.rows(query, [rows.log, bucket, long(commits)])) {
    const commit = Number(row.commit_no);
    found.set(commit, decodeMarks(bytesOf(row.marks), commit, Number(row.epoch)));
  }
  const first = bucket * COMMITS_PER_BUCKET;
  if (!found.has(first)) throw new TamperedStoreError(`the ${WHAT} of commit ${first} is missing`);
  return [...found].map(([commit, producers]) => ({ commit, producers }));
}

function decodeMarks(bytes: Buffer, commit: number, epoch: number): ProducerMark[] {
  try {
    const value = decodeDigested(bytes, `${WHAT} of commit ${commit}`);
    if (count(value, 'commit') !== commit || count(value, 'epoch') !== epoch)
      throw new MalformedHeadError(`${WHAT} of commit ${commit} is not where it should be`);
    return producersOf(value['producers']);
  } catch (error) {
    if (error instanceof MalformedHeadError || error instanceof SyntaxError)
      throw new TamperedStoreError(error.message);
    throw error;
  }
}

/** Removes what no start reads any more, once commit number `commit` is in. */
export function dropStatement({ log }: Pick<LogRows, 'log'>, commit: number): Statement | undefined {
  const old = commit / COMMITS_PER_BUCKET - 2;
  if (!Number.isInteger(old) || old < 0) return undefined;
  return { query: 'DELETE FROM marks WHERE log = ? AND bucket = ?', params: [log, old] };
}
