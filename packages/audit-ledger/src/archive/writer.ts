/** Where an export is written: a folder, or one tar file. Either holds the same files. */
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { TAR_END, tarHeader, tarPadding } from './tar.js';

export interface ArchiveWriter {
  /** `path` has slashes and no leading one. Each path once. */
  add(path: string, bytes: Uint8Array): Promise<void>;
}

/**
 * A name that ends in `.tar` becomes a file, any other a folder. Either is there once it is whole: until then it lies beside, and where
 * `write` fails nothing is left.
 * @throws SentinelError where something is there already; what `write` throws
 */
export async function writeArchive<T>(output: string, write: (archive: ArchiveWriter) => Promise<T>): Promise<T> {
  const draft = `${output.replace(/\/+$/, '')}.part`;
  const archive = await createArchive(output, draft);
  try {
    const written = await write(archive);
    await archive.close();
    await rename(draft, output);
    return written;
  } catch (error) {
    await archive.abandon();
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function createArchive(output: string, draft: string): Promise<Draft> {
  try {
    await assertFree(output);
    // Of an earlier try that was killed.
    await rm(draft, { recursive: true, force: true });
    return output.endsWith('.tar') ? new TarWriter(await open(draft, 'wx')) : await FolderWriter.create(draft);
  } catch (cause) {
    if (cause instanceof SentinelError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: '--output',
      message: `cannot write ${output} (${code})`,
      cause,
    });
  }
}

/** One that can be given up. */
interface Draft extends ArchiveWriter {
  /** Makes it durable. */
  close(): Promise<void>;
  abandon(): Promise<void>;
}

/** An empty folder may be there. */
async function assertFree(output: string): Promise<void> {
  const found = await lstat(output).catch(() => undefined);
  if (found === undefined) return;
  if (output.endsWith('.tar') || !found.isDirectory() || (await readdir(output)).length > 0) throw taken(output);
}

class FolderWriter implements Draft {
  readonly #folder: string;
  readonly #made = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<FolderWriter> {
    await mkdir(folder, { recursive: true });
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

  abandon(): Promise<void> {
    return Promise.resolve();
  }
}

class TarWriter implements Draft {
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

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
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
