/** What an export holds of a bundle. */
import type { ArchiveReader } from '../archive/reader.js';
import { commitmentPreimage } from '../detail/commitment.js';
import { readDetailLines, readKeptLines } from '../export/details.js';
import { detailsPath, keptPath, MANIFEST_PATH } from '../export/layout.js';
import { MalformedManifestError, readManifest } from '../export/manifest.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { TILE_WIDTH, tilePath, tileWidth } from '../tiles/path.js';
import { type HeldBundle, hashesIn } from './bundle.js';

const NOTHING = Buffer.alloc(0);

/** Size of the tree that the export is of; undefined where it is no export. */
export async function sizeInManifest(archive: ArchiveReader): Promise<number | undefined> {
  const bytes = await archive.read(MANIFEST_PATH);
  try {
    return bytes === undefined ? undefined : readManifest(bytes).size;
  } catch (error) {
    if (error instanceof MalformedManifestError) return undefined;
    throw error;
  }
}

export async function exportedBundle(archive: ArchiveReader, index: number, size: number): Promise<HeldBundle> {
  const width = tileWidth(size, 0, index);
  const leaves = leavesIn(await archive.read(tilePath({ kind: 'entries', index, width })), width);
  const place = (seq: number): number | undefined => {
    const at = seq - index * TILE_WIDTH;
    return at >= 0 && at < width ? at : undefined;
  };
  for (const line of readKeptLines((await archive.read(keptPath(index))) ?? NOTHING)) {
    const at = line && place(line.seq);
    if (line !== undefined && at !== undefined) leaves[at] ??= line.leaf;
  }
  const preimages = new Array<Uint8Array | undefined>(width).fill(undefined);
  for (const line of readDetailLines((await archive.read(detailsPath(index))) ?? NOTHING)) {
    const at = line && place(line.seq);
    if (line !== undefined && at !== undefined) preimages[at] = commitmentPreimage(line.salt, line.detail);
  }
  const tile = await archive.read(tilePath({ kind: 'hashes', level: 0, index, width }));
  return { index, leaves, preimages, hashes: hashesIn(tile ?? NOTHING) };
}

function leavesIn(bundle: Buffer | undefined, width: number): (Uint8Array | undefined)[] {
  try {
    return bundle === undefined ? [] : decodeBundle(bundle, width);
  } catch (error) {
    if (error instanceof MalformedBundleError) return [];
    throw error;
  }
}
