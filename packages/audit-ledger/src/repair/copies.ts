/** Where something may be mended from: an export, the folder of another log, or a ledger that serves one. */
import { stat } from 'node:fs/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ArchiveReader, openArchive } from '../archive/reader.js';
import { MalformedTarError } from '../archive/tar.js';
import { MANIFEST_PATH } from '../export/layout.js';
import { FolderSource } from '../storage/file/folder-source.js';
import { layoutOf } from '../storage/file/layout.js';
import { Turns } from '../turns.js';
import { httpSource } from '../verify/http-source.js';
import { type LogSource, SourceError } from '../verify/source.js';
import { type Copy, readBundle } from './bundle.js';
import { exportedBundle, sizeInManifest } from './exported-bundle.js';

export interface OpenCopy extends Copy {
  close(): Promise<void>;
}

/**
 * @param where a folder or `.tar` that `export` made, the folder of a log, or `http://HOST:PORT` of a ledger
 * @throws SentinelError INVALID_ARGUMENT where it is none of them, UNAVAILABLE where it cannot be read
 */
export async function openCopy(where: string): Promise<OpenCopy> {
  try {
    if (/^https?:\/\//.test(where)) return await ofSource(where, httpSource(where.replace(/\/+$/, ''), fetch));
    if (await isThere(layoutOf(where).entries)) {
      const source = await FolderSource.open(where);
      return await ofSource(where, source, () => source.close());
    }
    return await ofArchive(where, await openArchive(where));
  } catch (cause) {
    if (cause instanceof SourceError)
      throw new SentinelError({ code: 'UNAVAILABLE', field: '--from', message: cause.message, cause });
    if (cause instanceof MalformedTarError) throw noCopy(where, cause.message);
    throw cause;
  }
}

async function ofSource(
  name: string,
  source: LogSource,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<OpenCopy> {
  const size = Number((await source.checkpoint()).split('\n')[1]) || 0;
  // A source reads forward.
  const turns = new Turns();
  return { name, bundle: (index) => turns.take(() => readBundle(source, index, size)), close };
}

async function ofArchive(name: string, archive: ArchiveReader): Promise<OpenCopy> {
  const size = await sizeInManifest(archive);
  if (size === undefined) {
    await archive.close();
    throw noCopy(name, `it has no ${MANIFEST_PATH}`);
  }
  return { name, bundle: async (index) => await exportedBundle(archive, index, size), close: () => archive.close() };
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function noCopy(where: string, why: string): SentinelError {
  return new SentinelError({
    code: 'INVALID_ARGUMENT',
    field: '--from',
    message: `${where} is no copy of a log: ${why}`,
    hint: 'A copy is what export made (a folder or .tar), the data folder of a log, or http://HOST:PORT of a ledger.',
  });
}
