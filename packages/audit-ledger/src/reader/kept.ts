/** What a reader remembers across restarts: the newest checkpoint that it verified, by what keys, and evidence that made it stop. */
import { join } from 'node:path';
import type { RecordedRotation } from '../retention/chain.js';
import type { Disk } from '../storage/file/disk.js';
import { readWhole, writeSynced } from '../storage/file/files.js';
import { sha256 } from '../tree/hash.js';
import type { ForkEvidence } from './fork-evidence.js';

const EVIDENCE = /^fork-evidence-.*\.json$/;

export class Kept {
  readonly directory: string;
  readonly #disk: Disk;

  constructor(directory: string, disk: Disk) {
    this.directory = directory;
    this.#disk = disk;
  }

  get checkpointFile(): string {
    return join(this.directory, 'checkpoint');
  }

  get #rotationsFile(): string {
    return join(this.directory, 'rotations.json');
  }

  /** Signed note; undefined before the first. */
  async checkpoint(): Promise<string | undefined> {
    return (await readWhole(this.checkpointFile, this.#disk))?.toString('utf8');
  }

  /** Durable once it resolves. */
  async keepCheckpoint(note: string): Promise<void> {
    await this.#write(this.checkpointFile, note);
  }

  /** How the log was handed over from the key that the reader was given, oldest first. */
  async rotations(): Promise<RecordedRotation[]> {
    const text = (await readWhole(this.#rotationsFile, this.#disk))?.toString('utf8');
    return text === undefined ? [] : (JSON.parse(text) as RecordedRotation[]);
  }

  /** Durable once it resolves. */
  async keepRotations(rotations: readonly RecordedRotation[]): Promise<void> {
    await this.#write(this.#rotationsFile, `${JSON.stringify(rotations, null, 1)}\n`);
  }

  /** Paths of evidence that no operator has accepted. */
  async evidence(): Promise<string[]> {
    const names = await this.#disk.list(this.directory);
    return names
      .filter((name) => EVIDENCE.test(name))
      .sort()
      .map((name) => join(this.directory, name));
  }

  /** The same two checkpoints are kept once. @returns the path */
  async keepEvidence(evidence: ForkEvidence): Promise<string> {
    const digest = sha256(Buffer.from(evidence.first + evidence.second)).toString('hex', 0, 8);
    const path = join(this.directory, `fork-evidence-${digest}.json`);
    if ((await readWhole(path, this.#disk)) !== undefined) return path;
    await this.#write(path, `${JSON.stringify(evidence, null, 2)}\n`);
    return path;
  }

  /** An operator has looked: the evidence stays under another name, and the reader begins anew. */
  async accept(): Promise<void> {
    for (const path of await this.evidence())
      await this.#disk.rename(path, path.replace(/fork-evidence-(?=[^/]*$)/, 'accepted-fork-evidence-'));
    await this.#disk.remove(this.checkpointFile);
    await this.#disk.remove(this.#rotationsFile);
    await this.#disk.syncDirectory(this.directory);
  }

  async #write(path: string, text: string): Promise<void> {
    const temporary = `${path}.tmp`;
    await this.#disk.remove(temporary);
    await writeSynced(this.#disk, temporary, text);
    await this.#disk.rename(temporary, path);
    await this.#disk.syncDirectory(this.directory);
  }
}
