/**
 * A pruning of a folder, the same again after a crash at any point: what is kept is written aside, then the file `pruned` is
 * replaced, and only then is room given back.
 */
import { join } from 'node:path';
import type { SegmentLog } from '@sentinel/service-kit/segment-log';
import type { IndexStore } from '../../index/index-store.js';
import { decodeLeaf, type Leaf } from '../../leaf/leaf.js';
import type { PruneOrder } from '../store.js';
import type { Disk } from './disk.js';
import { KeptFile, type KeptItem, writeKept } from './kept-file.js';
import type { Layout } from './layout.js';
import { type PrunedPlace, type PrunedState, writePruned } from './pruned-file.js';
import type { PrunedLog } from './pruned-log.js';
import type { RecordReader } from './record-reader.js';

/** Entries that are looked at in one step. */
const STEP_ENTRIES = 1024;

export interface PrunableFolder {
  readonly layout: Layout;
  readonly disk: Disk;
  readonly entries: SegmentLog;
  readonly details: SegmentLog;
  readonly index: IndexStore;
  readonly reader: RecordReader;
  readonly pruned: PrunedLog;
}

export async function pruneFolder(folder: PrunableFolder, order: PruneOrder): Promise<void> {
  const { layout, disk, pruned, entries, details, index } = folder;
  const before = pruned.state;
  await disk.makeDirectory(layout.kept);
  await removeStray(folder, before);
  if (order.narrowed) await narrow(folder, order);
  const keptLeaves = await keep(folder, 'leaves', before.leaves.end, order);
  const keptDetails = await keep(folder, 'details', before.details.end, order);
  await disk.syncDirectory(layout.kept);
  const state: PrunedState = {
    leaves: await placeAt(folder, order.leaves, before.leaves),
    details: await placeAt(folder, order.details, before.details),
    keptLeaves: [...before.keptLeaves, ...keptLeaves],
    keptDetails: [...before.keptDetails, ...keptDetails],
    prunings: order.prunings,
  };
  await writePruned(layout, state, disk);
  await pruned.refresh(layout, disk);
  await details.giveUpBefore(state.details.details);
  await entries.giveUpBefore(state.leaves.entries);
  await index.forget(0, state.leaves.end);
}

/** Writes aside what is kept of the entries between the old end and the new one. @returns the name of the file, if any */
async function keep(
  folder: PrunableFolder,
  what: 'leaves' | 'details',
  from: number,
  order: PruneOrder,
): Promise<string[]> {
  const to = order[what];
  if (to <= from) return [];
  const { layout, disk } = folder;
  const name = `${what}-${String(from).padStart(16, '0')}-${String(to).padStart(16, '0')}`;
  const items = what === 'leaves' ? leavesToKeep(folder, from, order) : detailsToKeep(folder, from, order);
  await replaceKept(disk, join(layout.kept, name), items);
  return [name];
}

async function* leavesToKeep({ reader }: PrunableFolder, from: number, order: PruneOrder): AsyncGenerator<KeptItem> {
  for (let at = from; at < order.leaves; at += STEP_ENTRIES) {
    const leaves = await reader.leaves(at, Math.min(at + STEP_ENTRIES, order.leaves));
    for (const [i, leaf] of leaves.entries())
      if (leaf !== undefined && order.keep(decodeLeaf(leaf))) yield { seq: at + i, bytes: leaf };
  }
}

async function* detailsToKeep({ reader }: PrunableFolder, from: number, order: PruneOrder): AsyncGenerator<KeptItem> {
  for (let at = from; at < order.details; at += STEP_ENTRIES) {
    const stored = await reader.entries(at, Math.min(at + STEP_ENTRIES, order.details));
    for (const { seq, leaf, detailPreimage } of stored)
      if (detailPreimage !== undefined && order.keep(decodeLeaf(leaf))) yield { seq, bytes: detailPreimage };
  }
}

/** Takes out of the files of earlier prunings what need not be kept any more. Details first: they are judged by their leaves. */
async function narrow({ layout, disk, pruned, reader }: PrunableFolder, order: PruneOrder): Promise<void> {
  const { keptDetails, keptLeaves } = pruned.state;
  const leafOf = async (seq: number): Promise<Leaf | undefined> => {
    const [leaf] = await reader.leaves(seq, seq + 1);
    return leaf && decodeLeaf(leaf);
  };
  for (const name of [...keptDetails, ...keptLeaves]) {
    const path = join(layout.kept, name);
    const file = await KeptFile.open(path, disk);
    const remaining = async function* (): AsyncGenerator<KeptItem> {
      for await (const item of file.items(0, Number.POSITIVE_INFINITY)) {
        const leaf = await leafOf(item.seq);
        if (leaf !== undefined && order.keep(leaf)) yield item;
      }
    };
    await replaceKept(disk, path, remaining());
  }
}

async function replaceKept(disk: Disk, path: string, items: AsyncIterable<KeptItem>): Promise<void> {
  const draft = `${path}.tmp`;
  await writeKept(disk, draft, items);
  await disk.rename(draft, path);
}

/** What a crash left in the folder before the file `pruned` spoke of it. */
async function removeStray({ layout, disk }: PrunableFolder, state: PrunedState): Promise<void> {
  const known = new Set([...state.keptLeaves, ...state.keptDetails]);
  for (const name of await disk.list(layout.kept)) if (!known.has(name)) await disk.remove(join(layout.kept, name));
}

async function placeAt({ reader }: PrunableFolder, end: number, before: PrunedPlace): Promise<PrunedPlace> {
  return end <= before.end ? before : { ...(await reader.place(end)), end };
}
