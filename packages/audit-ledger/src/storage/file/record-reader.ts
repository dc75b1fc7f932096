/** Committed entries by seq, out of the two record logs and of what prunings kept. */
import type { Position } from '@sentinel/service-kit/segment-log';
import { detailPreimages, entryPreimages, MalformedRecordError, readHeader } from '../../commit/record.js';
import type { StoredEntry } from '../store.js';
import type { CommitRow, CommitTable } from './commit-table.js';
import type { PrunedLog } from './pruned-log.js';

/** Where records are read from: the writer's log, or the files of one. */
export interface RecordLog {
  /** The record that begins at `position`. */
  readAt(position: Position): Promise<Buffer>;
}

/** Split records of one log that were used last: whoever walks a log reads each several times. */
class Recent {
  readonly #log: RecordLog;
  readonly #split: (record: Uint8Array) => Uint8Array[];
  #commit = -1;
  #items: Uint8Array[] = [];

  constructor(log: RecordLog, split: (record: Uint8Array) => Uint8Array[]) {
    this.#log = log;
    this.#split = split;
  }

  async items(commit: number, position: Position): Promise<Uint8Array[]> {
    if (commit === this.#commit) return this.#items;
    const record = await this.#log.readAt(position);
    if (readHeader(record).commit !== commit)
      throw new MalformedRecordError(`record of commit ${commit} is not where it should be`);
    const items = this.#split(record);
    this.#commit = commit;
    this.#items = items;
    return items;
  }
}

export class RecordReader {
  readonly #commits: CommitTable;
  readonly #pruned: PrunedLog;
  readonly #entries: Recent;
  readonly #details: Recent;

  constructor(commits: CommitTable, entries: RecordLog, details: RecordLog, pruned: PrunedLog) {
    this.#commits = commits;
    this.#pruned = pruned;
    this.#entries = new Recent(entries, entryPreimages);
    this.#details = new Recent(details, detailPreimages);
  }

  /** Undefined for one that was pruned. */
  async leaves(from: number, to: number): Promise<(Uint8Array | undefined)[]> {
    const end = this.#pruned.state.leaves.end;
    const leaves: (Uint8Array | undefined)[] = [];
    for (let seq = from; seq < Math.min(to, end); seq += 1) leaves.push(await this.#pruned.keptLeaves.get(seq));
    await this.#walk(Math.max(from, end), to, async (row, commit, start, stop) => {
      const items = await this.#entries.items(commit, row.entries);
      for (const item of items.slice(start, stop)) leaves.push(item.subarray(1));
    });
    return leaves;
  }

  /** One whose leaf was pruned is left out. */
  async entries(from: number, to: number): Promise<StoredEntry[]> {
    const end = this.#pruned.state.details.end;
    const stored: StoredEntry[] = [];
    for (let seq = from; seq < Math.min(to, end); seq += 1) {
      const [leaf] = await this.leaves(seq, seq + 1);
      if (leaf !== undefined) stored.push({ seq, leaf, detailPreimage: await this.#pruned.keptDetails.get(seq) });
    }
    await this.#walk(Math.max(from, end), to, async (row, commit, start, stop) => {
      const items = await this.#entries.items(commit, row.entries);
      const details = await this.#details.items(commit, row.details);
      for (let i = start; i < Math.min(stop, items.length); i += 1) {
        const [item, detailPreimage] = [items[i], details[i]];
        if (item === undefined || detailPreimage === undefined) throw new MalformedRecordError('details lack an entry');
        stored.push({ seq: row.firstSeq + i, leaf: item.subarray(1), detailPreimage });
      }
    });
    return stored;
  }

  /** The commit that holds `seq`, which must not be pruned. */
  async place(seq: number): Promise<CommitRow & { readonly commit: number }> {
    const commit = await this.#commits.find(seq);
    return { ...(await this.#row(commit)), commit };
  }

  /** Calls `visit` with each commit that holds some of [from, to) and the range of its items. */
  async #walk(
    from: number,
    to: number,
    visit: (row: CommitRow, commit: number, start: number, end: number) => Promise<void>,
  ): Promise<void> {
    let commit = from < to ? await this.#commits.find(from) : 0;
    for (let seq = from; seq < to; commit += 1) {
      const [row, next] = [await this.#row(commit), await this.#commits.row(commit + 1)];
      const end = Math.min(to, next?.firstSeq ?? to);
      await visit(row, commit, seq - row.firstSeq, end - row.firstSeq);
      seq = end;
    }
  }

  async #row(commit: number): Promise<CommitRow> {
    const row = await this.#commits.row(commit);
    if (row === undefined) throw new MalformedRecordError(`commit ${commit} is not in the log`);
    return row;
  }
}
