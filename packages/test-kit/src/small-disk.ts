import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MEGABYTE = 1024 * 1024;
const CHUNKS = [MEGABYTE, 4096] as const;

/** Those that must not outlive this process. */
const MOUNTED = new Set<SmallDisk>();
process.once('exit', () => {
  for (const disk of MOUNTED) disk.unmount();
});

/** A file system of its own in memory, which can be full. Making one is for root. */
export class SmallDisk implements Disposable {
  readonly folder: string;
  readonly #ballast: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
    MOUNTED.add(this);
  }

  /** null = this process may make one. */
  static get missing(): string | null {
    return process.getuid?.() === 0 ? null : 'a disk that can be full is mounted by root';
  }

  /** @throws Error where this process may not mount */
  static mount(folder: string, megabytes: number): SmallDisk {
    mkdirSync(folder, { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder);
    chmodSync(folder, 0o711);
    return new SmallDisk(folder);
  }

  /** Not one more byte fits. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (const size of CHUNKS) writeUntilFull(file, Buffer.alloc(size));
    } finally {
      closeSync(file);
    }
  }

  /** As it was before. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  [Symbol.dispose](): void {
    this.unmount();
  }

  unmount(): void {
    if (!MOUNTED.has(this)) return;
    MOUNTED.delete(this);
    // What still has a file there keeps its own; nobody finds the folder again.
    run('umount', '--lazy', this.folder);
  }
}

function writeUntilFull(file: number, chunk: Buffer): void {
  try {
    while (writeSync(file, chunk) === chunk.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim();
  throw new Error(`${program} ${args.join(' ')}: ${why} (${SmallDisk.missing ?? 'as root'}: see docs/chaos.md)`);
}
