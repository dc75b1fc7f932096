/**
 * Head as files `head/<generation>`. A swap writes and syncs a temporary file, then links it to the name of the next
 * generation, which fails if another writer made that generation first: compare and swap in one system call, where a
 * rename would silently replace the other writer's head.
 */
import { link, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { StaleWriterError, UnknownOutcomeError } from '../errors.js';
import { decodeHead, encodeHead, type Head } from '../head.js';
import { isErrno, syncDirectory, writeSynced } from './files.js';

const GENERATION = /^\d{16}$/;

export class HeadFile {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The newest head; undefined for a log that was never written. */
  async read(): Promise<Head | undefined> {
    const newest = (await this.#generations()).at(-1);
    return newest === undefined ? undefined : decodeHead(await readFile(join(this.#directory, newest)));
  }

  /**
   * Makes `next` the head if its generation is still free. What fails before the link changed nothing; what fails after it
   * has an unknown outcome.
   */
  async swap(next: Head): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const temporary = join(this.#directory, `tmp.${randomUUID()}`);
    const target = join(this.#directory, nameOf(next.generation));
    await writeSynced(temporary, encodeHead(next));
    try {
      await this.#link(temporary, target, next.generation);
    } finally {
      await rm(temporary, { force: true });
    }
    await this.#settle(next.generation);
  }

  async #link(temporary: string, target: string, generation: number): Promise<void> {
    if ((await this.#generations()).some((name) => name > nameOf(generation - 1))) throw new StaleWriterError();
    try {
      await link(temporary, target);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new StaleWriterError();
      if (isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
      throw new UnknownOutcomeError(error);
    }
  }

  async #settle(generation: number): Promise<void> {
    try {
      await syncDirectory(this.#directory);
      const older = (await this.#generations()).filter((name) => name < nameOf(generation));
      await Promise.all(older.map((name) => rm(join(this.#directory, name))));
    } catch (error) {
      throw new UnknownOutcomeError(error);
    }
  }

  async #generations(): Promise<string[]> {
    try {
      return (await readdir(this.#directory)).filter((name) => GENERATION.test(name)).sort();
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  }
}

function nameOf(generation: number): string {
  return String(generation).padStart(16, '0');
}
