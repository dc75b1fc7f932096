/** The second place, beside the folder, as the one writer of the log sees it. */
import { basename, dirname, join } from 'node:path';
import { StaleWriterError } from '../errors.js';
import type { Disk } from './disk.js';
import { isErrno } from './errno.js';
import { prepareFile, readWhole } from './files.js';
import { syncGuard } from './guard.js';
import type { Layout } from './layout.js';

/** How old what a power cut leaves of the guard may be; it is then compared with a copy that is put back. */
const GUARD_SYNC_MS = 10_000;

export class GuardFile {
  readonly #layout: Layout;
  readonly #disk: Disk;
  /** A folder that this writer alone has: a note is written there and moved into its place. */
  readonly #desk: string;
  /** What this writer found there, or put there last; undefined where it cannot know, because a write failed. */
  #left: string | undefined;
  #syncedMs = Number.NEGATIVE_INFINITY;

  private constructor(layout: Layout, disk: Disk, desk: string, left: string) {
    this.#layout = layout;
    this.#disk = disk;
    this.#desk = desk;
    this.#left = left;
  }

  /**
   * To be called by a writer that has just taken the log over: it takes away what any writer before it needs to replace the guard, so
   * that one that slept puts no older checkpoint in the place of a newer one.
   * @param writer of which there is no second, in hexadecimal
   */
  static async take(layout: Layout, disk: Disk, writer: string): Promise<GuardFile> {
    const parent = dirname(layout.guard);
    const prefix = `${basename(layout.guard)}.writer-`;
    const desks = (await disk.list(parent)).filter((name) => name.startsWith(prefix));
    await Promise.all(desks.map((name) => disk.removeDirectory(join(parent, name))));
    const desk = join(parent, `${prefix}${writer}`);
    await disk.makeDirectory(desk);
    return new GuardFile(layout, disk, desk, await contentOf(layout, disk));
  }

  /**
   * A copy that is put in the place of the folder does not bring this back: a writer that slept while others signed finds out here,
   * where the copy looks just as it left the folder.
   * @throws StaleWriterError
   */
  async assertMine(): Promise<void> {
    const there = await contentOf(this.#layout, this.#disk);
    if (this.#left !== undefined && there !== this.#left) throw this.#lost();
  }

  /** The slow part of a replacement; calling what it gives is the rest. Both throw StaleWriterError where another writer took over. */
  async prepare(note: string): Promise<() => Promise<void>> {
    const { guard } = this.#layout;
    const replace = await prepareFile(this.#disk, guard, note, join(this.#desk, 'note')).catch(this.#explain);
    return async () => {
      this.#left = undefined;
      await replace().catch(this.#explain);
      this.#left = note;
      if (performance.now() - this.#syncedMs < GUARD_SYNC_MS) return;
      await syncGuard(this.#layout, this.#disk);
      this.#syncedMs = performance.now();
    };
  }

  async close(): Promise<void> {
    await this.#disk.removeDirectory(this.#desk);
  }

  readonly #explain = (error: unknown): never => {
    throw isErrno(error, 'ENOENT') ? this.#lost() : error;
  };

  #lost(): StaleWriterError {
    return new StaleWriterError(`${this.#layout.guard} is not as this writer left it; it stops`);
  }
}

async function contentOf({ guard }: Layout, disk: Disk): Promise<string> {
  return (await readWhole(guard, disk))?.toString('utf8') ?? '';
}
