/** A folder that a writer is at work in, for a reader: it takes no lock and writes nothing. */
import { stat } from 'node:fs/promises';
import { FollowingIndex } from '../../index/following-index.js';
import type { FollowedLog } from '../backend.js';
import type { Landmarks } from '../head.js';
import type { LogReads } from '../store.js';
import { blockFiles } from './block-files.js';
import { CommitTable } from './commit-table.js';
import { nodeDisk } from './disk.js';
import { orUndefined } from './errno.js';
import { readWhole } from './files.js';
import { FrameFiles } from './frame-files.js';
import { HashColumns } from './hash-columns.js';
import { HeadFile } from './head-file.js';
import { type Layout, layoutOf } from './layout.js';
import { PrunedLog, prunedOf } from './pruned-log.js';
import { RecordReader } from './record-reader.js';

/** The commit table as it was opened, and what is read by it. */
interface OpenTable {
  readonly inode: number;
  readonly table: CommitTable;
  readonly pruned: PrunedLog;
  readonly records: RecordReader;
  readonly index: FollowingIndex;
}

export class FollowedFolder implements FollowedLog {
  readonly #layout: Layout;
  /** The newest last; more than one where the folder was replaced under the reader. */
  readonly #tables: OpenTable[] = [];

  constructor(directory: string) {
    this.#layout = layoutOf(directory);
  }

  async checkpoint(): Promise<string | undefined> {
    const note = await readWhole(this.#layout.checkpoint);
    // A power cut may leave an empty file; the writer's next start fills it.
    return note === undefined || note.length === 0 ? undefined : note.toString('utf8');
  }

  async landmarks(): Promise<Landmarks> {
    return (await new HeadFile(this.#layout.heads).read())?.landmarks ?? {};
  }

  async readsAt(size: number): Promise<LogReads> {
    const opened = await this.#current(size);
    await opened?.table.refresh();
    const columns = new HashColumns(this.#layout.hashes, size);
    await opened?.pruned.refreshIfChanged(this.#layout);
    return {
      pruned: prunedOf(opened?.pruned),
      readEntries: async (from, to) => (await opened?.records.entries(from, Math.min(to, size))) ?? [],
      readLeaves: async (from, to) => (await opened?.records.leaves(from, Math.min(to, size))) ?? [],
      readTile: async (tile) => await columns.readIfThere(tile),
      query: async (filter, order, limit) =>
        (await opened?.index.query({ ...filter, toSeq: Math.min(filter.toSeq, size) }, order, limit)) ?? NOTHING,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#tables.splice(0).map(({ table }) => table.close()));
  }

  async #current(size: number): Promise<OpenTable | undefined> {
    const found = await orUndefined(stat(this.#layout.commits));
    const known = this.#tables.at(-1);
    if (found === undefined || known?.inode === found.ino) return known;
    const table = await CommitTable.openReadOnly(this.#layout.commits);
    if (table === undefined) return known;
    const { entries, details, index } = this.#layout;
    const pruned = await PrunedLog.open(this.#layout);
    const records = new RecordReader(table, new FrameFiles(entries), new FrameFiles(details), pruned);
    const blocks = blockFiles(index, nodeDisk);
    const following = new FollowingIndex(size, blocks, (from, to) => records.leaves(from, to));
    const opened = { inode: found.ino, table, pruned, records, index: following };
    this.#tables.push(opened);
    return opened;
  }
}

const NOTHING = { seqs: [], next: undefined };
