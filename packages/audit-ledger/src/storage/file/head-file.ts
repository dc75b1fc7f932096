/**
 * Head as files `head/<generation>`. A swap writes and syncs a temporary file, then links it to the name of the next
 * generation, which fails if another writer made that generation first: compare and swap in one system call, where a
 * rename would silently replace the other writer's head.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Position } from '@sentinel/service-kit/segment-log';
import { StaleWriterError, StoreFullError, UnknownOutcomeError } from '../errors.js';
import { count, decodeHeadFields, encodeHead, type Head, headOf, MalformedHeadError } from '../head.js';
import { type Disk, nodeDisk } from './disk.js';
import { isErrno, orUndefined } from './errno.js';
import { readWhole, writeSynced } from './files.js';

const GENERATION = /^\d{16}$/;
const TEMPORARY = /^tmp\./;
const READ_ATTEMPTS = 100;
const REPLACED = 'the log in this folder is not as this writer left it; it stops';

/** Where the committed part of both logs ends. */
interface Ends {
  readonly entriesEnd: Position;
  readonly detailsEnd: Position;
}

export interface FileHead extends Head, Ends {}

/** A head that nobody looks at yet. */
export interface StagedHead {
  readonly name: string;
  readonly bytes: Buffer;
}

export class HeadFile {
  readonly #directory: string;
  readonly #disk: Disk;
  /** What was read or made last: what the next head takes the place of. */
  #last: Buffer | undefined;

  constructor(directory: string, disk: Disk = nodeDisk) {
    this.#directory = directory;
    this.#disk = disk;
  }

  /** The newest head; undefined for a log that was never written. @throws MalformedHeadError */
  async read(): Promise<FileHead | undefined> {
    const bytes = await this.#newest();
    this.#last = bytes;
    if (bytes === undefined) return undefined;
    const fields = decodeHeadFields(bytes);
    const ends = { entriesEnd: positionOf(fields, 'entries_end'), detailsEnd: positionOf(fields, 'details_end') };
    return { ...headOf(fields), ...ends };
  }

  /** A writer may remove a head between our looking and reading: then there is a newer one. */
  async #newest(): Promise<Buffer | undefined> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      const newest = (await this.#generations()).at(-1);
      if (newest === undefined) return undefined;
      const bytes = await readWhole(join(this.#directory, newest), this.#disk);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  /** Makes the folder and removes what a crash left: heads half made, and older ones. */
  async prepare(): Promise<void> {
    await this.#disk.makeDirectory(this.#directory);
    const names = await this.#disk.list(this.#directory);
    const older = (await this.#generations()).slice(0, -1);
    await Promise.all([...names.filter((name) => TEMPORARY.test(name)), ...older].map((name) => this.#remove(name)));
  }

  /** Makes `next` durable under a name of its own, at which nobody looks: the slow part of a swap, which changes nothing. */
  async stage(next: FileHead): Promise<StagedHead> {
    const staged = { name: `tmp.${randomUUID()}`, bytes: encode(next) };
    try {
      await writeSynced(this.#disk, join(this.#directory, staged.name), staged.bytes);
      return staged;
    } catch (error) {
      throw isErrno(error, 'ENOSPC', 'EDQUOT') ? new StoreFullError(error) : new UnknownOutcomeError(error);
    }
  }

  discard({ name }: StagedHead): void {
    this.#tidy(name);
  }

  /**
   * Makes `next` the head if its generation is still free. What fails before the link changed nothing; what fails after it
   * has an unknown outcome.
   * @param staged where it lies already
   * @param stillMine what else must hold once the head is there
   */
  async swap(next: FileHead, staged?: StagedHead, stillMine = (): Promise<void> => Promise.resolve()): Promise<void> {
    const { name, bytes } = staged ?? (await this.stage(next));
    try {
      await this.#link(name, next.generation);
    } catch (error) {
      if (isErrno(error, 'ENOSPC', 'EDQUOT')) throw new StoreFullError(error);
      throw error instanceof StaleWriterError ? error : new UnknownOutcomeError(error);
    } finally {
      this.#tidy(name);
    }
    await this.#settle(next.generation, stillMine);
    this.#last = bytes;
  }

  /** @throws StaleWriterError where another writer made a head after `generation` */
  async assertNewest(generation: number): Promise<void> {
    const newest = (await this.#generations()).at(-1) ?? '';
    if (newest > nameOf(generation)) throw new StaleWriterError();
    if (newest < nameOf(generation)) throw new StaleWriterError(REPLACED);
  }

  async #link(temporary: string, generation: number): Promise<void> {
    try {
      await this.#disk.link(join(this.#directory, temporary), join(this.#directory, nameOf(generation)));
    } catch (error) {
      throw isErrno(error, 'EEXIST') ? new StaleWriterError() : error;
    }
  }

  /** A generation whose head is removed by now can be made once more, by a writer that slept meanwhile: then there is a newer one. */
  async #settle(generation: number, stillMine: () => Promise<void>): Promise<void> {
    const checks = [this.assertNewest(generation), this.#assertSucceeds(generation), stillMine()];
    const outcomes = await Promise.allSettled([...checks, this.#disk.syncDirectory(this.#directory)]);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed?.status !== 'rejected') return this.#tidy(nameOf(generation - 1));
    // The only head stays, whatever is wrong: another writer that starts may have just removed the one before it.
    const alone = (await this.#generations().catch(() => [])).length < 2;
    if (alone || !(failed.reason instanceof StaleWriterError)) throw new UnknownOutcomeError(failed.reason);
    this.#tidy(nameOf(generation));
    throw failed.reason;
  }

  /**
   * A writer that slept may find the name of its next head free again: because those after it were made and removed, or because
   * an older copy was put in the place of the folder. Then the one before it is not the one that it left.
   */
  async #assertSucceeds(generation: number): Promise<void> {
    if (this.#last === undefined) return;
    const before = await readWhole(join(this.#directory, nameOf(generation - 1)), this.#disk);
    if (before?.equals(this.#last) !== true) throw new StaleWriterError(REPLACED);
  }

  /** Nobody waits for it, and what it leaves behind the next start removes. */
  #tidy(name: string): void {
    this.#remove(name).catch(() => undefined);
  }

  async #remove(name: string): Promise<void> {
    await this.#disk.remove(join(this.#directory, name));
  }

  async #generations(): Promise<string[]> {
    const names = (await orUndefined(this.#disk.list(this.#directory))) ?? [];
    return names.filter((name) => GENERATION.test(name)).sort();
  }
}

function encode(head: FileHead): Buffer {
  const { entriesEnd, detailsEnd } = head;
  return encodeHead(head, { entries_end: { ...entriesEnd }, details_end: { ...detailsEnd } });
}

function positionOf(fields: { readonly [name: string]: unknown }, name: string): Position {
  const value = fields[name];
  if (typeof value !== 'object' || value === null) throw new MalformedHeadError(`head has no ${name}`);
  const position = value as { readonly [name: string]: unknown };
  return { segment: count(position, 'segment'), offset: count(position, 'offset') };
}

export function sameEnds(a: Ends, b: Ends): boolean {
  return same(a.entriesEnd, b.entriesEnd) && same(a.detailsEnd, b.detailsEnd);
}

function same(a: Position, b: Position): boolean {
  return a.segment === b.segment && a.offset === b.offset;
}

function nameOf(generation: number): string {
  return String(generation).padStart(16, '0');
}
