/** The second place, beside the folder, as the one writer of the log sees it. */
import { StaleWriterError } from '../errors.js';
import type { Disk } from './disk.js';
import { prepareFile, readWhole } from './files.js';
import { syncGuard } from './guard.js';
import type { Layout } from './layout.js';

/** How old what a power cut leaves of the guard may be; it is then compared with a copy that is put back. */
const GUARD_SYNC_MS = 10_000;

export class GuardFile {
  readonly #layout: Layout;
  readonly #disk: Disk;
  /** What this writer found there, or put there last; undefined where it cannot know, because a write failed. */
  #left: string | undefined;
  /** Whether it was looked at since this writer replaced it. */
  #looked = false;
  #syncedMs = Number.NEGATIVE_INFINITY;

  private constructor(layout: Layout, disk: Disk, left: string) {
    this.#layout = layout;
    this.#disk = disk;
    this.#left = left;
  }

  static async open(layout: Layout, disk: Disk): Promise<GuardFile> {
    return new GuardFile(layout, disk, await contentOf(layout, disk));
  }

  /**
   * A copy that is put in the place of the folder does not bring this back: a writer that slept while others signed finds out here,
   * where the copy looks just as it left the folder.
   * @throws StaleWriterError
   */
  async assertMine(): Promise<void> {
    const there = await contentOf(this.#layout, this.#disk);
    if (this.#left !== undefined && there !== this.#left)
      throw new StaleWriterError(`${this.#layout.guard} is not as this writer left it; it stops`);
    this.#looked = true;
  }

  /** The slow part of a replacement; calling what it gives is the rest. @throws StaleWriterError */
  async prepare(note: string): Promise<() => Promise<void>> {
    if (!this.#looked) await this.assertMine();
    const replace = await prepareFile(this.#disk, this.#layout.guard, note);
    return async () => {
      this.#left = undefined;
      await replace();
      this.#left = note;
      this.#looked = false;
      if (performance.now() - this.#syncedMs < GUARD_SYNC_MS) return;
      await syncGuard(this.#layout, this.#disk);
      this.#syncedMs = performance.now();
    };
  }
}

async function contentOf({ guard }: Layout, disk: Disk): Promise<string> {
  return (await readWhole(guard, disk))?.toString('utf8') ?? '';
}
