/** Bits flipped in the files of a log at rest: which of them a full verification finds, and whether it names the entry. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { FRAME_HEADER_BYTES, SEGMENT_HEADER } from '@sentinel/service-kit/segment-log';
import { RECORD_HEADER_BYTES, readHeader } from '../commit/record.js';
import { openCheckpoint } from '../note/checkpoint.js';
import { NoteError } from '../note/note.js';
import { FolderSource } from '../storage/file/folder-source.js';
import { HASHES_PER_FILE } from '../storage/file/hash-columns.js';
import { layoutOf } from '../storage/file/layout.js';
import { HASH_BYTES } from '../tree/hash.js';
import { SourceError } from '../verify/source.js';
import { verifyLog } from '../verify/verify-log.js';
import { TEST_KEY } from './ledgers.js';

export interface Flip {
  /** Path within the folder, or of the guard beside it. */
  readonly file: string;
  readonly bit: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The log of a test key. */
export class FlippedFolder {
  readonly #folder: string;
  readonly #places = new Map<string, Range[]>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#placeRecords('entries', 2);
    this.#placeRecords('details', 4);
  }

  /** Every file of the log with its size, the checkpoint beside it included. */
  files(): { file: string; bytes: number }[] {
    const names = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' });
    const files = [...names.map((name) => join(this.#folder, name)), layoutOf(this.#folder).guard];
    return files
      .filter((path) => statSync(path).isFile())
      .map((path) => ({ file: relative(this.#folder, path), bytes: statSync(path).size }));
  }

  /** `count` flips of a file, far from one another. */
  spread({ file, bytes }: { file: string; bytes: number }, count: number, random: () => number): Flip[] {
    const stretch = (bytes * 8) / count;
    return Array.from({ length: count }, (_, i) => ({ file, bit: Math.floor((i + 0.25 + random() / 2) * stretch) }));
  }

  /** Flips, verifies, puts everything back. @returns the flips that were not found, or not where they are */
  async missed(flips: readonly Flip[]): Promise<Flip[]> {
    const intact = new Map(flips.map(({ file }) => [file, readFileSync(join(this.#folder, file))]));
    try {
      for (const { file, bit } of flips) this.#flip(file, bit);
      const found = await this.#verify();
      return flips.filter((flip) => !this.#isFound(flip, found, flips.length));
    } finally {
      for (const [file, bytes] of intact) writeFileSync(join(this.#folder, file), bytes);
    }
  }

  #flip(file: string, bit: number): void {
    const path = join(this.#folder, file);
    const bytes = readFileSync(path);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, bytes);
  }

  /** Seqs that are named; undefined where the log cannot be verified at all, which is an alarm as well. */
  async #verify(): Promise<ReadonlySet<number> | undefined> {
    try {
      openCheckpoint(readFileSync(layoutOf(this.#folder).guard), TEST_KEY.verifier);
      const source = await FolderSource.open(this.#folder);
      const report = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
      return new Set(report.findings.map(({ seq }) => seq));
    } catch (error) {
      if (error instanceof NoteError || error instanceof SourceError) return undefined;
      throw error;
    }
  }

  #isFound(flip: Flip, found: ReadonlySet<number> | undefined, flips: number): boolean {
    const range = this.#rangeOf(flip);
    if (found === undefined) return range === undefined;
    if (range === undefined) return found.size > 0;
    const inside = [...found].filter((seq) => seq >= range.first && seq <= range.last);
    return inside.length > 0 && (flips > 1 || inside.length === found.size);
  }

  /** Entries that a finding may name; undefined for what speaks of the log as a whole. */
  #rangeOf({ file, bit }: Flip): Range | undefined {
    const places = this.#places.get(file);
    if (places !== undefined) return places[bit >> 3];
    if (dirname(file) === 'hashes/0') {
      const seq = Number(basename(file)) * HASHES_PER_FILE + Math.floor(bit / 8 / HASH_BYTES);
      return { first: seq, last: seq };
    }
    return undefined;
  }

  /**
   * Which entries each byte of a record log belongs to: one for an item, those of the commit for what frames it, those of the first
   * commit of its segment for a segment's header. The log is intact.
   */
  #placeRecords(log: string, lengthBytes: number): void {
    for (const segment of readdirSync(join(this.#folder, log)).sort()) {
      const bytes = readFileSync(join(this.#folder, log, segment));
      const places: Range[] = [];
      const fill = (length: number, range: Range): void => {
        for (let i = 0; i < length; i += 1) places.push(range);
      };
      const commitAt = (frame: number): Range => {
        const { firstSeq, count } = readHeader(bytes.subarray(frame + FRAME_HEADER_BYTES));
        return { first: firstSeq, last: firstSeq + count - 1 };
      };
      fill(SEGMENT_HEADER.length, commitAt(SEGMENT_HEADER.length));
      while (places.length < bytes.length) {
        const commit = commitAt(places.length);
        fill(FRAME_HEADER_BYTES + RECORD_HEADER_BYTES, commit);
        for (let seq = commit.first; seq <= commit.last; seq += 1)
          fill(lengthBytes + bytes.readUIntBE(places.length, lengthBytes), { first: seq, last: seq });
      }
      this.#places.set(`${log}/${segment}`, places);
    }
  }
}
