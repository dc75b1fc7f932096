/**
 * Which batch committed each entry, told by the keys and headers of rows of which some are damaged: each says so several times, and
 * what most say is right.
 */
import { type BatchHeader, RECORD_HEADER_BYTES } from '../../commit/record.js';
import type { RecordRow } from './log-rows.js';

export type Batch = Pick<BatchHeader, 'commit' | 'epoch'> & { readonly batchId: Buffer };

interface Votes {
  readonly commits: number[];
  readonly epochs: number[];
  readonly batchIds: string[];
}

/** What the header of a row states, as far as it can be read. */
export function statedIn({
  record,
}: RecordRow): (Batch & { readonly firstSeq: number; readonly count: number }) | undefined {
  if (record.length < RECORD_HEADER_BYTES) return undefined;
  return {
    commit: Number(record.readBigUInt64BE(1)),
    epoch: Number(record.readBigUInt64BE(9)),
    batchId: record.subarray(17, 33),
    firstSeq: Number(record.readBigUInt64BE(33)),
    count: record.readUInt32BE(41),
  };
}

export class Provenance {
  readonly #from: number;
  readonly #votes: Votes[];

  /** Of entries [from, end). */
  constructor(from: number, end: number) {
    this.#from = from;
    this.#votes = Array.from({ length: end - from }, () => ({ commits: [], epochs: [], batchIds: [] }));
  }

  /** A row of leaves or details, which covers entries [first, first + count). */
  row(row: RecordRow, first: number, count: number): void {
    const stated = statedIn(row);
    for (const votes of this.#at(first, count)) {
      votes.epochs.push(row.epoch);
      votes.batchIds.push(row.batchId.toString('hex'));
      if (stated === undefined) continue;
      votes.epochs.push(stated.epoch);
      votes.batchIds.push(stated.batchId.toString('hex'));
      votes.commits.push(stated.commit);
    }
  }

  /** A row of hashes. */
  epoch(epoch: number, first: number, count: number): void {
    for (const votes of this.#at(first, count)) votes.epochs.push(epoch);
  }

  /** By entry; undefined where nothing tells. `before`: the batch of the entry before the first. */
  batches(before: Batch | undefined): (Batch | undefined)[] {
    let last = before;
    return this.#votes.map(({ commits, epochs, batchIds }) => {
      const [epoch, batchId] = [most(epochs), most(batchIds)];
      if (epoch === undefined || batchId === undefined) return undefined;
      const id = Buffer.from(batchId, 'hex');
      // Commits have no gaps, so the one before decides between two.
      const following = last === undefined ? 0 : last.commit + Number(!last.batchId.equals(id));
      const commit = most([...commits, following]) ?? following;
      last = { commit, epoch, batchId: id };
      return last;
    });
  }

  #at(first: number, count: number): Votes[] {
    return this.#votes.slice(Math.max(first - this.#from, 0), Math.max(first + count - this.#from, 0));
  }
}

function most<T>(votes: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
