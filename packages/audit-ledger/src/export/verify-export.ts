/** Verifies an export by nothing but its own bytes and a key that the caller has from elsewhere; names the entry that was altered. */
import { createHash } from 'node:crypto';
import type { ArchiveReader } from '../archive/reader.js';
import { EnvelopeError } from '../attest/envelope.js';
import { openManifestAttestation } from '../attest/export-statement.js';
import { preimageOf } from '../detail/commitment.js';
import { LeafView, MalformedLeafError } from '../leaf/leaf.js';
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { followRotations } from '../note/rotation.js';
import { parseTlogProof, verifyTlogProof } from '../note/tlog-proof.js';
import { decodeBundle, MalformedBundleError } from '../tiles/bundle.js';
import { MalformedTileError, tileDigests } from '../tiles/node-reader.js';
import { TILE_WIDTH, tilePath, tileWidth } from '../tiles/path.js';
import { Frontier } from '../tree/frontier.js';
import { type Digest, digestOf, ZERO_HASH } from '../tree/hash.js';
import type { Opening } from '../verify/source.js';
import { Walker } from '../verify/walker.js';
import { Announced } from './announced.js';
import { readDetailLines, readKeptLines } from './details.js';
import {
  ATTESTATION_PATH,
  bundlesOf,
  CHECKPOINT_PATH,
  detailsPath,
  hashTilesOf,
  keptPath,
  LISTED,
  MANIFEST_PATH,
  PROVED_PATH,
  ROTATIONS_PATH,
  VERIFIER_KEY_PATH,
} from './layout.js';
import { holds, MalformedManifestError, type Manifest, readManifest } from './manifest.js';
import { provedLeaf, readProvedLines } from './proved-lines.js';
import { holdsIn, readRotationLines } from './rotations.js';
import { tileFaults } from './tile-faults.js';

export interface ExportFinding {
  /** Undefined where it concerns no entry. */
  readonly seq?: number;
  readonly what: string;
}

export interface ExportReport {
  readonly ok: boolean;
  readonly checkpoint: Checkpoint | undefined;
  readonly manifest: Manifest | undefined;
  /** Who signed for having made it, and when by their clock; undefined = that was not looked at. */
  readonly made?: { readonly by: string; readonly at: string } | undefined;
  readonly findings: readonly ExportFinding[];
  /** All findings, also those that are not listed. */
  readonly found: number;
}

type Progress = (verified: number, total: number) => void;

interface ExportOptions {
  readonly progress?: Progress | undefined;
  /** Of whoever has to have made it; undefined = that is not looked at. */
  readonly attestationKey?: VerifierKey | undefined;
}

export async function verifyExport(
  archive: ArchiveReader,
  key: VerifierKey,
  { progress, attestationKey }: ExportOptions = {},
): Promise<ExportReport> {
  try {
    const manifest = readManifest(await need(archive, MANIFEST_PATH));
    const lines = readRotationLines((await archive.read(ROTATIONS_PATH)) ?? Buffer.alloc(0));
    const rotations = lines.filter((line) => line !== undefined);
    const signer = followRotations(key, rotations).key;
    const checkpoint = openCheckpoint(await need(archive, CHECKPOINT_PATH), signer);
    if (!rotations.every((each) => holdsIn(each, checkpoint)))
      throw new NoteError(`${ROTATIONS_PATH} speaks of a rotation that is not in the log`);
    if (manifest.size !== checkpoint.size || manifest.origin !== checkpoint.origin)
      throw new NoteError('checkpoint is not the one that the manifest speaks of');
    return await new ExportCheck(archive, signer, manifest, checkpoint).run(progress, attestationKey);
  } catch (error) {
    const known = error instanceof NoteError || error instanceof MalformedManifestError;
    if (!known) throw error;
    const findings = [{ what: error.message }];
    return { ok: false, checkpoint: undefined, manifest: undefined, findings, found: 1 };
  }
}

async function need(archive: ArchiveReader, path: string): Promise<Buffer> {
  const bytes = await archive.read(path);
  if (bytes === undefined) throw new MalformedManifestError(`${path} is missing: this is no export, or not all of one`);
  return bytes;
}

class ExportCheck {
  readonly #archive: ArchiveReader;
  readonly #key: VerifierKey;
  readonly #manifest: Manifest;
  readonly #checkpoint: Checkpoint;
  readonly #announced: Announced;
  readonly #beside: ExportFinding[] = [];
  readonly #expected = new Set([CHECKPOINT_PATH, VERIFIER_KEY_PATH, MANIFEST_PATH]);

  constructor(archive: ArchiveReader, key: VerifierKey, manifest: Manifest, checkpoint: Checkpoint) {
    this.#archive = archive;
    this.#key = key;
    this.#manifest = manifest;
    this.#checkpoint = checkpoint;
    this.#announced = new Announced(manifest);
  }

  async run(progress: Progress | undefined, attestationKey: VerifierKey | undefined): Promise<ExportReport> {
    await this.#verifierKey();
    await this.#optional(ROTATIONS_PATH);
    await this.#proved();
    if (!this.#announced.asStated())
      this.#note('manifest states that entries were pruned, which the log did not announce');
    const made = await this.#attestation(attestationKey);
    const { walker, details } = await this.#walk(progress);
    const faults = await tileFaults(this.#manifest, this.#checkpoint, (tile) => this.#read(tilePath(tile)));
    const exact = new Set(walker.findings.map(({ seq }) => seq));
    for (const { first, last, what } of faults)
      if (![...exact].some((seq) => seq >= first && seq <= last)) this.#beside.push({ seq: first, what });
    if (details !== this.#manifest.details && walker.found === 0)
      this.#note(`manifest states ${this.#manifest.details} details, there are ${details}`);
    await this.#files();
    const findings = [...this.#beside, ...walker.findings];
    const found = this.#beside.length + walker.found;
    return { ok: found === 0, checkpoint: this.#checkpoint, manifest: this.#manifest, made, findings, found };
  }

  async #verifierKey(): Promise<void> {
    const text = (await this.#read(VERIFIER_KEY_PATH))?.toString('utf8');
    if (text !== `${this.#key.text}\n`)
      this.#note('verifier key in the export is not the one given, nor one that it handed over to');
  }

  async #attestation(key: VerifierKey | undefined): Promise<ExportReport['made']> {
    const text = (await this.#optional(ATTESTATION_PATH))?.toString('utf8');
    if (key === undefined) return undefined;
    try {
      if (text === undefined) throw new EnvelopeError('it is missing');
      const manifest = (await this.#read(MANIFEST_PATH)) ?? Buffer.alloc(0);
      return { by: key.name, at: openManifestAttestation(text, manifest, key) };
    } catch (error) {
      if (!(error instanceof EnvelopeError || error instanceof SyntaxError)) throw error;
      this.#note(`${ATTESTATION_PATH}: ${error.message}`);
      return undefined;
    }
  }

  async #proved(): Promise<void> {
    for (const line of readProvedLines((await this.#read(PROVED_PATH)) ?? Buffer.from('missing'))) {
      const leaf = line && provedLeaf(line, this.#checkpoint);
      if (line !== undefined && leaf !== undefined) this.#announced.take(line, leaf);
      else this.#note(`${PROVED_PATH} is missing, or has a line of which the tree knows nothing`);
    }
  }

  async #walk(progress?: Progress): Promise<{ walker: Walker; details: number }> {
    const { first, last } = this.#manifest;
    const start = Math.floor(first / TILE_WIDTH) * TILE_WIDTH;
    const walker = new Walker({ seq: start, prev: await this.#prevOf(start), frontier: new Frontier(start) });
    let details = 0;
    for (const index of bundlesOf(this.#manifest)) {
      const leaves = await this.#bundle(walker, index);
      details += await this.#details(walker, index, leaves);
      progress?.(Math.min(walker.size - 1, last) - first + 1, last - first + 1);
    }
    walker.finish();
    return { walker, details };
  }

  /** What the first leaf says came before: the tree binds that leaf, so it needs no second witness. */
  async #prevOf(start: number): Promise<Digest> {
    const nothing = digestOf(ZERO_HASH);
    if (start === 0) return nothing;
    const index = start / TILE_WIDTH;
    const width = tileWidth(this.#checkpoint.size, 0, index);
    const bundle = await this.#read(tilePath({ kind: 'entries', index, width }));
    try {
      const [leaf] = decodeBundle(bundle ?? new Uint8Array(), width);
      return leaf === undefined ? nothing : digestOf(new LeafView(leaf).prev);
    } catch (error) {
      if (error instanceof MalformedBundleError || error instanceof MalformedLeafError) return nothing;
      throw error;
    }
  }

  async #bundle(walker: Walker, index: number): Promise<ReadonlyMap<number, LeafView>> {
    const width = tileWidth(this.#checkpoint.size, 0, index);
    const tile = await this.#read(tilePath({ kind: 'hashes', level: 0, index, width }));
    const hashes = orUndefined(() => tileDigests(tile ?? new Uint8Array(), width));
    if (hashes === undefined) walker.report(index * TILE_WIDTH, 'hash tile is missing or malformed');
    if (index * TILE_WIDTH < this.#manifest.pruned_leaves_end) return await this.#kept(walker, index, width, hashes);
    const bundle = await this.#read(tilePath({ kind: 'entries', index, width }));
    const entries = orUndefined(() => decodeBundle(bundle ?? new Uint8Array(), width));
    const leaves = new Map<number, LeafView>();
    for (let i = 0; i < width; i += 1) {
      const bytes = entries?.[i];
      const leaf = bytes === undefined ? undefined : walker.push(bytes, hashes?.[i]);
      if (bytes === undefined) walker.pushMissing(hashes?.[i], 'entry bundle is missing or damaged');
      if (leaf !== undefined) leaves.set(index * TILE_WIDTH + i, leaf);
    }
    return leaves;
  }

  /** Of a bundle that was pruned there are the leaves that were kept; each hash leads to the root all the same. */
  async #kept(
    walker: Walker,
    index: number,
    width: number,
    hashes: readonly Digest[] | undefined,
  ): Promise<ReadonlyMap<number, LeafView>> {
    const lines = readKeptLines((await this.#optional(keptPath(index))) ?? Buffer.alloc(0));
    const kept = new Map(lines.filter((line) => line !== undefined).map(({ seq, leaf }) => [seq, leaf]));
    const leaves = new Map<number, LeafView>();
    for (let i = 0; i < width; i += 1) {
      const seq = index * TILE_WIDTH + i;
      const bytes = kept.get(seq);
      kept.delete(seq);
      const leaf = bytes === undefined ? undefined : walker.push(bytes, hashes?.[i]);
      if (bytes === undefined) walker.pushPruned(hashes?.[i]);
      if (bytes === undefined && this.#inRange(seq) && !this.#announced.leaf(seq))
        walker.report(seq, 'entry is WITHHELD: no pruning that the log announced took it');
      if (leaf !== undefined) leaves.set(seq, leaf);
    }
    if (kept.size > 0 || lines.includes(undefined))
      walker.report(index * TILE_WIDTH, `${keptPath(index)} holds a line that belongs to no entry`);
    return leaves;
  }

  /** @returns how many details are there */
  async #details(walker: Walker, index: number, leaves: ReadonlyMap<number, LeafView>): Promise<number> {
    const from = Math.max(index * TILE_WIDTH, this.#manifest.first);
    const to = Math.min(index * TILE_WIDTH + TILE_WIDTH - 1, this.#manifest.last);
    const openings = await this.#openings(walker, index, from, to);
    for (const seq of seqs(from, to)) {
      const opening = openings.get(seq);
      const leaf = leaves.get(seq);
      if (opening === undefined && !this.#mayLack(seq)) walker.report(seq, 'detail is missing or its line damaged');
      if (opening === undefined && leaf !== undefined && this.#mayLack(seq) && !this.#announced.detail(seq, leaf))
        walker.report(seq, 'detail is WITHHELD: no pruning that the log announced took it');
      if (opening !== undefined && leaf !== undefined) walker.detail(seq, leaf, preimageOf(opening));
    }
    return openings.size;
  }

  async #openings(walker: Walker, index: number, from: number, to: number): Promise<Map<number, Opening>> {
    const openings = new Map<number, Opening>();
    const file = await this.#optional(detailsPath(index));
    let next = from;
    let stray = 0;
    for (const opening of file === undefined ? [] : readDetailLines(file)) {
      if (opening === undefined || opening.seq < next || opening.seq > to || this.#mayLack(opening.seq)) {
        // Whose line it was is found missing; where every detail is there, it is one too many.
        stray += 1;
        continue;
      }
      openings.set(opening.seq, opening);
      next = opening.seq + 1;
    }
    const lacking = seqs(from, to).filter((seq) => !openings.has(seq) && !this.#mayLack(seq)).length;
    if (stray > lacking) walker.report(from, `${detailsPath(index)} holds a line that belongs to no entry`);
    return openings;
  }

  /** Everything else that is there: listed with its checksum, or proved by the tree, or not part of an export. */
  async #files(): Promise<void> {
    for (const [path, sum] of Object.entries(this.#manifest.files)) {
      if (!LISTED.has(path)) this.#note(`${path} does not belong to the export`);
      const bytes = await this.#read(path);
      if (bytes === undefined) this.#note(`${path} is missing`);
      else if (createHash('sha256').update(bytes).digest('hex') !== sum)
        this.#note(`${path} is not the file that the manifest lists`);
    }
    for (const tile of hashTilesOf(this.#manifest, this.#checkpoint.size)) this.#expected.add(tilePath(tile));
    for (const path of this.#archive.paths) {
      const proof = /^proofs\/(\d{1,15})\.tlog-proof$/.exec(path);
      if (proof !== null) await this.#proof(Number(proof[1]), path);
      else if (!this.#expected.has(path)) this.#note(`${path} does not belong to the export`);
    }
  }

  async #proof(seq: number, path: string): Promise<void> {
    try {
      const text = (await this.#read(path))?.toString('utf8') ?? '';
      const leaf = await this.#leafAt(seq);
      verifyTlogProof(text, leaf ?? new Uint8Array(), this.#key);
      const { index: proved, checkpoint } = parseTlogProof(text);
      const signed = (await this.#read(CHECKPOINT_PATH))?.toString('utf8');
      if (proved !== seq || checkpoint !== signed) throw new NoteError('proof is of another entry or checkpoint');
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      this.#beside.push({ seq, what: `${path}: ${error.message}` });
    }
  }

  async #leafAt(seq: number): Promise<Uint8Array | undefined> {
    const index = Math.floor(seq / TILE_WIDTH);
    if (seq < this.#manifest.pruned_leaves_end) {
      const lines = readKeptLines((await this.#optional(keptPath(index))) ?? Buffer.alloc(0));
      return lines.find((line) => line?.seq === seq)?.leaf;
    }
    const width = tileWidth(this.#checkpoint.size, 0, index);
    const bundle = await this.#read(tilePath({ kind: 'entries', index, width }));
    return orUndefined(() => decodeBundle(bundle ?? new Uint8Array(), width))?.[seq % TILE_WIDTH];
  }

  /** A file that need not be there. */
  async #optional(path: string): Promise<Buffer | undefined> {
    return this.#archive.paths.has(path) ? await this.#read(path) : undefined;
  }

  async #read(path: string): Promise<Buffer | undefined> {
    this.#expected.add(path);
    return await this.#archive.read(path);
  }

  #inRange(seq: number): boolean {
    return seq >= this.#manifest.first && seq <= this.#manifest.last;
  }

  #mayLack(seq: number): boolean {
    return holds(this.#manifest.missing_details, seq);
  }

  #note(what: string): void {
    this.#beside.push({ what });
  }
}

function seqs(first: number, last: number): number[] {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => first + i);
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBundleError || error instanceof MalformedTileError) return undefined;
    throw error;
  }
}
