/** Reads an export back, from a folder or a tar file; every byte of the tar file that belongs to no file must be what it has to be. */
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../verify/source.js';
import { MalformedTarError, readTarHeader, TAR_BLOCK_BYTES, TAR_END, tarPadding } from './tar.js';

export interface ArchiveReader {
  readonly paths: ReadonlySet<string>;
  /** Undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** @throws SourceError where it cannot be read, MalformedTarError where the tar file is not as it was written */
export async function openArchive(path: string): Promise<ArchiveReader> {
  const found = await stat(path).catch((error: unknown) => {
    throw new SourceError(`cannot read ${path} (${String((error as NodeJS.ErrnoException).code)})`);
  });
  return found.isDirectory() ? await FolderReader.open(path) : await TarReader.open(path, found.size);
}

class FolderReader implements ArchiveReader {
  readonly paths: ReadonlySet<string>;
  readonly #folder: string;

  private constructor(folder: string, paths: ReadonlySet<string>) {
    this.#folder = folder;
    this.paths = paths;
  }

  static async open(folder: string): Promise<FolderReader> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, '/').length));
    return new FolderReader(folder, new Set(paths));
  }

  async read(path: string): Promise<Buffer | undefined> {
    return this.paths.has(path) ? await readFile(join(this.#folder, path)) : undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class TarReader implements ArchiveReader {
  readonly #file: FileHandle;
  readonly #members = new Map<string, { at: number; size: number }>();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  get paths(): ReadonlySet<string> {
    return new Set(this.#members.keys());
  }

  static async open(path: string, bytes: number): Promise<TarReader> {
    const reader = new TarReader(await open(path, 'r'));
    try {
      await reader.#index(bytes);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  async read(path: string): Promise<Buffer | undefined> {
    const member = this.#members.get(path);
    return member === undefined ? undefined : await this.#bytes(member.at, member.size);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #index(bytes: number): Promise<void> {
    let offset = 0;
    for (; offset < bytes - TAR_END.length; ) {
      const { path, size } = readTarHeader(await this.#bytes(offset, TAR_BLOCK_BYTES));
      const at = offset + TAR_BLOCK_BYTES;
      if (this.#members.has(path)) throw new MalformedTarError(`${path} is there twice`);
      this.#members.set(path, { at, size });
      const padding = await this.#bytes(at + size, tarPadding(size));
      if (padding.some((byte) => byte !== 0)) throw new MalformedTarError(`what follows ${path} is not empty`);
      offset = at + size + padding.length;
    }
    if (offset !== bytes - TAR_END.length || !(await this.#bytes(offset, TAR_END.length)).equals(TAR_END))
      throw new MalformedTarError('its end is not where or what it should be: it was cut short or written to');
  }

  async #bytes(at: number, size: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(size);
    const { bytesRead } = await this.#file.read(buffer, 0, size, at);
    if (bytesRead !== size) throw new MalformedTarError('it is cut short');
    return buffer;
  }
}
