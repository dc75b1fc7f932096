/** Copies a range of a log into an archive that proves itself: one pass, one bundle in memory at a time. */
import { createHash } from 'node:crypto';
import type { ArchiveWriter } from '../archive/writer.js';
import { attestManifest, type ExportMaker } from '../attest/export-statement.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { TILE_WIDTH, tilePath, tileWidth } from '../tiles/path.js';
import type { ProvedRotation } from '../verify/followed-key.js';
import { InOrder, openingParts, singly } from '../verify/in-order.js';
import { type ClaimedPruned, type LogSource, NOTHING_PRUNED, type Opening } from '../verify/source.js';
import { detailLine, keptLine } from './details.js';
import {
  ATTESTATION_PATH,
  bundlesOf,
  CHECKPOINT_PATH,
  detailsPath,
  hashTilesOf,
  keptPath,
  MANIFEST_PATH,
  PROVED_PATH,
  ROTATIONS_PATH,
  type SeqRange,
  VERIFIER_KEY_PATH,
} from './layout.js';
import { EXPORT_FORMAT, type Manifest, Ranges, writeManifest } from './manifest.js';
import { provedLine } from './proved-lines.js';
import { rotationLines } from './rotations.js';
import { witnessesOf } from './witnesses.js';

/** An entry as it is copied: leaf and opening are undefined where the log no longer has them. */
export interface CopiedEntry {
  readonly seq: number;
  readonly leaf: Uint8Array | undefined;
  readonly opening: Opening | undefined;
}

/** A file beside the log's own. */
export interface ExtraFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The tree binds it: it needs no checksum. */
  readonly proved?: boolean;
}

export interface ExportInput {
  readonly source: LogSource;
  /** The signed note, and what it says. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  /** Key that signed the note. */
  readonly verifierKey: string;
  /** How keys of the log handed over to it. */
  readonly rotations?: readonly ProvedRotation[];
  readonly range: SeqRange;
  readonly archive: ArchiveWriter;
  /** Who signs for having made it; undefined = nobody. */
  readonly maker?: ExportMaker | undefined;
  /** Told of every entry of the range, in order. */
  readonly onEntry?: (entry: CopiedEntry) => void;
  /** Files that go with it, asked for after the last entry. */
  readonly extras: () => AsyncIterable<ExtraFile> | Iterable<ExtraFile>;
}

export interface Exported {
  readonly details: number;
  readonly missingDetails: readonly (readonly [number, number])[];
  /** Bundles below are gone; 0 = none of the range. */
  readonly prunedLeavesEnd: number;
  /** Entries below that were kept, also beyond the range. */
  readonly keptLeaves: readonly (readonly [number, number])[];
}

/** Does not judge what it copies: `verifyExport` does. */
export async function exportLog(input: ExportInput): Promise<Exported> {
  const { source, checkpoint, range, archive } = input;
  const files: Record<string, string> = {};
  const addListed = async (path: string, bytes: Uint8Array): Promise<void> => {
    await archive.add(path, bytes);
    files[path] = createHash('sha256').update(bytes).digest('hex');
  };
  await addListed(CHECKPOINT_PATH, Buffer.from(input.note));
  await addListed(VERIFIER_KEY_PATH, Buffer.from(`${input.verifierKey}\n`));
  const { rotations = [] } = input;
  if (rotations.length > 0) await addListed(ROTATIONS_PATH, rotationLines(rotations));
  const claim = (await source.pruned?.()) ?? NOTHING_PRUNED;
  const witnesses = await witnessesOf(source, checkpoint, range, claim);
  await addListed(PROVED_PATH, Buffer.from(witnesses.map(provedLine).join('')));
  const copied = await copyEntries(input, claim);
  for (const tile of hashTilesOf(range, checkpoint.size)) await archive.add(tilePath(tile), await source.tile(tile));
  for await (const { path, bytes, proved = false } of input.extras()) {
    if (proved) await archive.add(path, bytes);
    else await addListed(path, bytes);
  }
  const { origin, size } = checkpoint;
  const { details, missingDetails, prunedLeavesEnd, keptLeaves } = copied;
  const { first, last } = range;
  const there = {
    details,
    missing_details: missingDetails,
    pruned_leaves_end: prunedLeavesEnd,
    kept_leaves: keptLeaves,
  };
  const manifest: Manifest = { format: EXPORT_FORMAT, origin, size, first, last, ...there, files };
  const written = writeManifest(manifest);
  await archive.add(MANIFEST_PATH, written);
  if (input.maker !== undefined) await archive.add(ATTESTATION_PATH, attestManifest(written, input.maker));
  return copied;
}

async function copyEntries(
  { source, checkpoint, range, archive, onEntry }: ExportInput,
  claim: ClaimedPruned,
): Promise<Exported> {
  const openings = openingParts(source, claim, range.first, range.last + 1);
  const kept = new InOrder(singly(source.keptLeaves?.(range.first, Math.min(claim.leaves, range.last + 1))));
  const missing = new Ranges();
  let details = 0;
  for (const index of bundlesOf(range)) {
    const width = tileWidth(checkpoint.size, 0, index);
    const start = index * TILE_WIDTH;
    const pruned = start < claim.leaves;
    const leaves = pruned ? [] : await copyBundle(source, archive, index, width);
    let [lines, keptLines] = ['', ''];
    for (let seq = Math.max(start, range.first); seq <= Math.min(start + width - 1, range.last); seq += 1) {
      const keptLeaf = pruned ? await kept.at(seq) : undefined;
      if (keptLeaf !== undefined) keptLines += keptLine(keptLeaf);
      const opening = await openings.find(({ to }) => seq < to)?.openings.at(seq);
      if (opening === undefined) missing.add(seq);
      else lines += detailLine(opening);
      if (opening !== undefined) details += 1;
      onEntry?.({ seq, leaf: pruned ? keptLeaf?.leaf : leaves[seq - start], opening });
    }
    if (keptLines !== '') await archive.add(keptPath(index), Buffer.from(keptLines));
    if (lines !== '') await archive.add(detailsPath(index), Buffer.from(lines));
  }
  await Promise.all([kept.close(), ...openings.map((part) => part.openings.close())]);
  const prunedLeavesEnd = claim.leaves > range.first ? claim.leaves : 0;
  return {
    details,
    missingDetails: missing.list,
    prunedLeavesEnd,
    keptLeaves: await keptBelow(source, prunedLeavesEnd),
  };
}

async function keptBelow(source: LogSource, end: number): Promise<[number, number][]> {
  const kept = new Ranges();
  if (end > 0) for await (const { seq } of source.keptLeaves?.(0, end) ?? []) kept.add(seq);
  return kept.list;
}

async function copyBundle(
  source: LogSource,
  archive: ArchiveWriter,
  index: number,
  width: number,
): Promise<(Uint8Array | undefined)[]> {
  const bundle = await source.tile({ kind: 'entries', index, width });
  await archive.add(tilePath({ kind: 'entries', index, width }), bundle);
  return leavesOf(bundle, width);
}

function leavesOf(bundle: Uint8Array, width: number): (Uint8Array | undefined)[] {
  try {
    return decodeBundle(bundle, width);
  } catch (error) {
    if (error instanceof MalformedBundleError) return [];
    throw error;
  }
}
