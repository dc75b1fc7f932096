/** Where an export is written: a folder, or one tar file. Either holds the same files. */
import { type FileHandle, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { TAR_END, tarHeader, tarPadding } from './tar.js';

export interface ArchiveWriter {
  /** `path` has slashes and no leading one. Each path once. */
  add(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes it durable. */
  close(): Promise<void>;
}

/** A name that ends in `.tar` becomes a file, any other a folder. @throws SentinelError where something is there already */
export async function createArchive(output: string): Promise<ArchiveWriter> {
  try {
    return output.endsWith('.tar') ? new TarWriter(await open(output, 'wx')) : await FolderWriter.create(output);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw taken(output);
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: '--output',
      message: `cannot write ${output} (${code})`,
      cause,
    });
  }
}

class FolderWriter implements ArchiveWriter {
  readonly #folder: string;
  readonly #made = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<FolderWriter> {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) throw taken(folder);
    return new FolderWriter(folder);
  }

  async add(path: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#folder, path);
    const parent = dirname(file);
    if (!this.#made.has(parent)) await mkdir(parent, { recursive: true });
    this.#made.add(parent);
    await writeFile(file, bytes, { flag: 'wx' });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class TarWriter implements ArchiveWriter {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(path: string, bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(
      Buffer.concat([tarHeader(path, bytes.length), bytes, Buffer.alloc(tarPadding(bytes.length))]),
    );
  }

  async close(): Promise<void> {
    await this.#file.appendFile(TAR_END);
    await this.#file.sync();
    await this.#file.close();
  }
}

function taken(output: string): SentinelError {
  return new SentinelError({
    code: 'ALREADY_EXISTS',
    field: '--output',
    message: `${output} is there already`,
    hint: 'Choose another name; nothing is overwritten.',
  });
}
