/** Puts damaged bytes of a folder back as they were committed, in place; what nobody has stays as it is. */
import { dirname, join } from 'node:path';
import { FRAME_HEADER_BYTES, SEGMENT_HEADER } from '@sentinel/service-kit/segment-log';
import { joinItems, RECORD_HEADER_BYTES } from '../../commit/record.js';
import { salvageDetails, salvageEntries } from '../../commit/salvage.js';
import { BLOCK_ENTRIES } from '../../index/block.js';
import { decodeLeaf } from '../../leaf/leaf.js';
import type { Absent, Right, RightLog } from '../../repair/right-log.js';
import { tilesOver } from '../../tiles/path.js';
import { LEAF_PREFIX } from '../../tree/hash.js';
import { CommitTable, storedRow } from './commit-table.js';
import type { Disk } from './disk.js';
import { placeOfTile } from './hash-columns.js';
import type { Layout } from './layout.js';
import { patchFile } from './patch.js';
import { type CommitLogs, type PlacedCommit, placedCommits } from './placed-commits.js';
import { PrunedLog } from './pruned-log.js';
import { rebuiltFrame } from './rebuilt-record.js';
import { type FrameHead, StoredFrames } from './stored-frames.js';

const LENGTH_BYTES = { entries: 2, details: 4 } as const;
type RecordLogName = keyof typeof LENGTH_BYTES;

export async function mendFolder(layout: Layout, disk: Disk, seqs: readonly number[], right: RightLog): Promise<void> {
  await mendTiles(layout, disk, seqs, right);
  const table = await CommitTable.openReadOnly(layout.commits);
  const logs = { entries: new StoredFrames(layout.entries), details: new StoredFrames(layout.details), table };
  const mender = new CommitMender(layout, disk, logs, right);
  try {
    const pruned = await PrunedLog.openDamaged(layout, () => undefined);
    let wanted = seqs.toSorted((a, b) => a - b);
    for await (const placed of placedCommits(logs, pruned.state, right.checkpoint.size)) {
      const end = placed.firstSeq + placed.count;
      if (wanted.some((seq) => seq >= placed.firstSeq && seq < end)) await mender.mend(placed);
      wanted = wanted.filter((seq) => seq >= end);
      if (wanted.length === 0) break;
    }
  } finally {
    await Promise.all([logs.entries.close(), logs.details.close(), table?.close()]);
  }
  await dropBlocks(layout, disk, seqs);
}

async function mendTiles(layout: Layout, disk: Disk, seqs: readonly number[], right: RightLog): Promise<void> {
  for (const tile of tilesOver(seqs, right.checkpoint.size)) {
    const bytes = await right.tile(tile);
    if (bytes === undefined) continue;
    const { file, position } = placeOfTile(tile);
    const path = join(layout.hashes, file);
    await disk.makeDirectory(dirname(path));
    await patchFile(disk, path, position, bytes);
  }
}

/** A block of the index that is not there is made again from the leaves. */
async function dropBlocks({ index }: Layout, disk: Disk, seqs: readonly number[]): Promise<void> {
  for (const number of new Set(seqs.map((seq) => Math.floor(seq / BLOCK_ENTRIES)))) {
    await disk.remove(join(index, String(number).padStart(10, '0')));
  }
}

class CommitMender {
  readonly #layout: Layout;
  readonly #disk: Disk;
  readonly #logs: CommitLogs;
  readonly #right: RightLog;

  constructor(layout: Layout, disk: Disk, logs: CommitLogs, right: RightLog) {
    this.#layout = layout;
    this.#disk = disk;
    this.#logs = logs;
    this.#right = right;
  }

  async mend(placed: PlacedCommit): Promise<void> {
    const { commit, firstSeq, count, entries, details } = placed;
    const leaves = await this.#right.leaves(firstSeq, firstSeq + count);
    const preimages = leaves.map((leaf) => mapRight(leaf, (bytes) => Buffer.concat([Buffer.of(LEAF_PREFIX), bytes])));
    await this.#mendRecord('entries', placed, entries, details, preimages);
    const detailItems = await this.#right.preimages(firstSeq, firstSeq + count);
    if (details !== undefined) await this.#mendRecord('details', placed, details, entries, detailItems);
    await this.#mendRow(commit, firstSeq, entries, details);
  }

  /** A table that is not there, or ends before, a start makes again. */
  async #mendRow(commit: number, firstSeq: number, entries: FrameHead, details: FrameHead | undefined): Promise<void> {
    const { table } = this.#logs;
    if (table === undefined || commit > table.count) return;
    const pruned = (await table.row(commit))?.details ?? entries.position;
    const row = { firstSeq, entries: entries.position, details: details?.position ?? pruned };
    const { position, bytes } = storedRow(commit, row);
    await patchFile(this.#disk, this.#layout.commits, position, bytes);
  }

  async #mendRecord(
    log: RecordLogName,
    placed: PlacedCommit,
    head: FrameHead,
    twin: FrameHead | undefined,
    items: readonly (Right | Absent)[],
  ): Promise<void> {
    const { position } = head;
    const frames = this.#logs[log];
    const path = frames.pathOf(position.segment);
    await patchFile(this.#disk, path, 0, SEGMENT_HEADER);
    const all = await this.#itemsOf(log, placed, head, items);
    if (all === undefined) return;
    const joined = joinItems(all.bytes, LENGTH_BYTES[log]);
    const stored = await frames.read(position, FRAME_HEADER_BYTES + RECORD_HEADER_BYTES);
    // The checksum speaks of the whole record: where a part of it is lost it stays as it is, and so does the header.
    const frame = all.complete ? rebuiltFrame(stored, placed, joined, twin?.header) : undefined;
    if (frame !== undefined) await patchFile(this.#disk, path, position.offset, frame);
    else await patchFile(this.#disk, path, position.offset + FRAME_HEADER_BYTES + RECORD_HEADER_BYTES, joined);
  }

  /** Right items, and stored ones in the place of those that nobody has; undefined where their lengths cannot be told. */
  async #itemsOf(
    log: RecordLogName,
    { firstSeq, count }: PlacedCommit,
    { position, length }: FrameHead,
    items: readonly (Right | Absent)[],
  ): Promise<{ readonly bytes: readonly Uint8Array[]; readonly complete: boolean } | undefined> {
    const complete = items.every((item) => typeof item === 'object');
    const stored = complete ? [] : await this.#salvaged(log, firstSeq, count, position, length);
    const bytes = items.map((item, i) => (typeof item === 'object' ? item.bytes : stored[i]));
    return bytes.every((item) => item !== undefined) ? { bytes, complete } : undefined;
  }

  async #salvaged(
    log: RecordLogName,
    firstSeq: number,
    count: number,
    { segment, offset }: FrameHead['position'],
    length: number,
  ): Promise<readonly (Buffer | undefined)[]> {
    const record = await this.#logs[log].read({ segment, offset: offset + FRAME_HEADER_BYTES }, length);
    if (log === 'entries') return salvageEntries(record, count, firstSeq).items;
    const leaves = await this.#right.leaves(firstSeq, firstSeq + count);
    return salvageDetails(
      record,
      leaves.map((leaf) => (typeof leaf === 'object' ? decodeLeaf(leaf.bytes).detailLength : undefined)),
    ).items;
  }
}

function mapRight(item: Right | Absent, change: (bytes: Uint8Array) => Uint8Array): Right | Absent {
  return typeof item === 'object' ? { ...item, bytes: change(item.bytes) } : item;
}
