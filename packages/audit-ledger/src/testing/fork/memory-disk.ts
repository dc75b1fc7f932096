/**
 * A disk in memory that several processes see, each through a view of its own whose operations wait for their turn. Locks are
 * given to everybody: what is under test is what happens where they do not help. A power cut leaves what was synced.
 */
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Disk } from '../../storage/file/disk.js';
import type { Process } from './turns.js';

interface Inode {
  content: Buffer;
  synced: Buffer;
}

type Names = Map<string, Inode>;

const NOTHING = Buffer.alloc(0);

export class MemoryDisk {
  /** By folder. */
  #folders = new Map<string, Names>();
  /** Names that survive a power cut. */
  #kept = new Map<string, Names>();

  view(process: Pick<Process, 'turn'>): Disk {
    const act = async <T>(work: () => T): Promise<T> => await inTurn(process, work);
    return {
      open: async (path, flags) => await act(() => handleOf(this.#opened(path, flags), act)),
      list: async (directory) => await act(() => this.#list(directory)),
      makeDirectory: async (directory) => await act(() => this.#make(directory)),
      lock: () => Promise.resolve({ release: () => Promise.resolve() }),
      rename: async (from, to) => await act(() => this.#rename(from, to)),
      link: async (from, to) => await act(() => this.#link(from, to)),
      remove: async (path) => await act(() => void this.#folders.get(dirname(path))?.delete(basename(path))),
      removeDirectory: async (directory) => await act(() => void this.#folders.delete(directory)),
      syncDirectory: async (directory) =>
        await act(() => void this.#kept.set(directory, new Map(this.#names(directory)))),
      freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
    };
  }

  powerCut(): void {
    const folders = [...this.#folders.keys()];
    const inodes = new Set([...this.#kept.values()].flatMap((names) => [...names.values()]));
    for (const inode of inodes) inode.content = Buffer.from(inode.synced);
    this.#folders = new Map(folders.map((folder) => [folder, new Map(this.#kept.get(folder) ?? [])]));
  }

  names(directory: string): string[] {
    return [...(this.#folders.get(directory)?.keys() ?? [])];
  }

  content(path: string): string {
    return this.#folders.get(dirname(path))?.get(basename(path))?.content.toString('utf8') ?? '';
  }

  /** What a power cut would leave. */
  kept(path: string): string {
    return this.#kept.get(dirname(path))?.get(basename(path))?.synced.toString('utf8') ?? '';
  }

  /** What lies below `root` as it is now. @returns what puts it back, in new files */
  copy(root: string): () => void {
    const copied = [...this.#folders]
      .filter(([folder]) => folder === root || folder.startsWith(`${root}/`))
      .map(
        ([folder, names]) =>
          [folder, [...names].map(([name, { content }]) => [name, Buffer.from(content)] as const)] as const,
      );
    return () => {
      for (const folder of [...this.#folders.keys()])
        if (folder === root || folder.startsWith(`${root}/`)) this.#folders.delete(folder);
      for (const [folder, names] of copied) {
        const restored = names.map(([name, content]) => [name, { content, synced: content }] as const);
        this.#folders.set(folder, new Map(restored));
        this.#kept.set(folder, new Map(restored));
      }
    };
  }

  #opened(path: string, flags: string | number): Inode {
    const names = this.#names(dirname(path));
    const found = names.get(basename(path));
    const creates = typeof flags === 'number' || flags.startsWith('w');
    if (found === undefined && !creates) throw errno('ENOENT', path);
    if (found !== undefined && typeof flags === 'string' && flags.startsWith('wx')) throw errno('EEXIST', path);
    const inode = found ?? { content: NOTHING, synced: NOTHING };
    if (typeof flags === 'string' && flags.startsWith('w')) inode.content = NOTHING;
    names.set(basename(path), inode);
    return inode;
  }

  #names(directory: string): Names {
    const names = this.#folders.get(directory);
    if (names === undefined) throw errno('ENOENT', directory);
    return names;
  }

  #list(directory: string): string[] {
    const folders = [...this.#folders.keys()].filter((folder) => dirname(folder) === directory);
    return [...this.#names(directory).keys(), ...folders.map((folder) => basename(folder))];
  }

  #make(directory: string): void {
    for (let folder = directory; folder !== '/' && !this.#folders.has(folder); folder = dirname(folder)) {
      this.#folders.set(folder, new Map());
    }
  }

  #link(from: string, to: string): void {
    const inode = this.#names(dirname(from)).get(basename(from));
    if (inode === undefined) throw errno('ENOENT', from);
    const names = this.#names(dirname(to));
    if (names.has(basename(to))) throw errno('EEXIST', to);
    names.set(basename(to), inode);
  }

  #rename(from: string, to: string): void {
    const inode = this.#names(dirname(from)).get(basename(from));
    if (inode === undefined) throw errno('ENOENT', from);
    this.#names(dirname(from)).delete(basename(from));
    this.#names(dirname(to)).set(basename(to), inode);
  }
}

async function inTurn<T>(process: Pick<Process, 'turn'>, work: () => T): Promise<T> {
  const fate = await process.turn();
  if (fate === 'refused' || fate === 'late') throw errno('EIO', 'cut off');
  const result = work();
  if (fate === 'unheard') throw errno('EIO', 'cut off');
  return result;
}

type Act = <T>(work: () => T) => Promise<T>;

/** What the ledger uses of a file handle. */
function handleOf(inode: Inode, act: Act): FileHandle {
  const sync = async (): Promise<void> =>
    await act(() => {
      inode.synced = Buffer.from(inode.content);
    });
  const put = (bytes: Uint8Array, at: number): number => {
    const end = Math.max(inode.content.length, at + bytes.length);
    const content = Buffer.alloc(end);
    inode.content.copy(content);
    content.set(bytes, at);
    inode.content = content;
    return bytes.length;
  };
  const handle = {
    sync,
    datasync: sync,
    close: () => Promise.resolve(),
    stat: async () => await act(() => ({ size: inode.content.length })),
    truncate: async (length: number) =>
      await act(() => {
        inode.content = Buffer.from(inode.content.subarray(0, length));
      }),
    readFile: async () => await act(() => Buffer.from(inode.content)),
    writeFile: async (bytes: Uint8Array | string) => await act(() => put(Buffer.from(bytes as Uint8Array), 0)),
    read: async (buffer: Uint8Array, offset: number, length: number | undefined, position: number) =>
      await act(() => {
        const found = inode.content.subarray(position, position + (length ?? buffer.length - offset));
        buffer.set(found, offset);
        return { bytesRead: found.length, buffer };
      }),
    write: async (bytes: Uint8Array, offset: number, length: number, position: number) =>
      await act(() => ({ bytesWritten: put(bytes.subarray(offset, offset + length), position) })),
    writev: async (parts: readonly Uint8Array[], position: number) =>
      await act(() => ({ bytesWritten: put(Buffer.concat(parts), position) })),
  };
  return handle as unknown as FileHandle;
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
