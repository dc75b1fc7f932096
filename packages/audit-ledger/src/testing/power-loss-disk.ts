/**
 * A disk that forgets at a power cut what was not synced. It works on a real folder and keeps beside it what would survive:
 * the content of each file at its last sync, and the names of each folder at the folder's last sync.
 */
import { type FileHandle, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Disk, nodeDisk } from '../storage/file/disk.js';
import { orUndefined } from '../storage/file/errno.js';

export class PowerLossDisk implements Disk {
  /** False: syncs are said to have worked but keep nothing. */
  honest = true;
  /** Called before each operation; may throw. */
  before: (operation: string, path: string) => void = () => undefined;
  readonly #contents = new Map<number, Buffer>();
  readonly #names = new Map<string, Map<string, number>>();
  /** Of the folder around, in which inodes are used again: content of files when their folder was synced. */
  readonly #beside = new Map<string, Buffer>();

  async open(path: string, flags: string | number, mode?: number): Promise<FileHandle> {
    this.before('open', path);
    return this.#watch(await nodeDisk.open(path, flags, mode), path);
  }

  list(directory: string): Promise<string[]> {
    return nodeDisk.list(directory);
  }

  async makeDirectory(directory: string): Promise<void> {
    await nodeDisk.makeDirectory(directory);
    if (!this.#names.has(directory)) this.#names.set(directory, new Map());
  }

  lock(directory: string): ReturnType<Disk['lock']> {
    return nodeDisk.lock(directory);
  }

  async rename(from: string, to: string): Promise<void> {
    this.before('rename', to);
    await nodeDisk.rename(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    this.before('link', to);
    await nodeDisk.link(from, to);
  }

  async remove(path: string): Promise<void> {
    await nodeDisk.remove(path);
  }

  async removeDirectory(directory: string): Promise<void> {
    this.#names.delete(directory);
    await nodeDisk.removeDirectory(directory);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.before('syncDirectory', directory);
    if (!this.honest) return;
    const names = new Map<string, number>();
    for (const name of await readdir(directory)) {
      const found = await orUndefined(stat(join(directory, name)));
      if (found?.isFile() !== true) continue;
      names.set(name, found.ino);
      this.#beside.set(join(directory, name), this.#contents.get(found.ino) ?? Buffer.alloc(0));
    }
    this.#names.set(directory, names);
  }

  freeBytes(directory: string): Promise<number> {
    return nodeDisk.freeBytes(directory);
  }

  /** Writes what survives a power cut now into another folder. */
  async survivors(root: string, into: string): Promise<void> {
    for (const [directory, names] of this.#names) {
      await mkdir(directory.replace(root, into), { recursive: true });
      for (const [name, inode] of names) {
        const path = join(directory, name);
        if (!path.startsWith(root)) continue;
        const beside = !path.startsWith(`${root}/`);
        const content = beside ? this.#beside.get(path) : this.#contents.get(inode);
        await writeFile(path.replace(root, into), content ?? Buffer.alloc(0));
      }
    }
  }

  #watch(handle: FileHandle, path: string): FileHandle {
    const sync = async (): Promise<void> => {
      this.before('sync', path);
      if (!this.honest) return;
      await handle.datasync();
      this.#contents.set((await handle.stat()).ino, await readFile(path).catch(() => Buffer.alloc(0)));
      await this.#keepSelf(path);
    };
    return new Proxy(handle, {
      get: (target, property) => {
        if (property === 'sync' || property === 'datasync') return sync;
        if (property === 'writev' || property === 'write') this.before('write', path);
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** The folder of a log is made before the disk is watched. */
  async #keepSelf(path: string): Promise<void> {
    const directory = dirname(path);
    if (!this.#names.has(directory)) this.#names.set(directory, new Map());
    // A file that exists under its name since its folder's last sync keeps that name.
    const known = this.#names.get(directory);
    if (known?.has(basename(path)) === true) known.set(basename(path), (await stat(path)).ino);
  }
}
