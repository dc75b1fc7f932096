/** The files of what prunings kept, of leaves or of details, as one sequence. */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { KeptFile, type KeptItem } from './kept-file.js';

export class KeptItems {
  readonly #files: readonly { readonly name: string; readonly file: KeptFile }[];

  private constructor(files: readonly { readonly name: string; readonly file: KeptFile }[]) {
    this.#files = files;
  }

  /** `names`: oldest entries first. @throws TamperedStoreError */
  static async open(directory: string, names: readonly string[], disk?: Disk): Promise<KeptItems> {
    const files = await Promise.all(
      names.map(async (name) => ({ name, file: await KeptFile.open(join(directory, name), disk) })),
    );
    return new KeptItems(files);
  }

  async get(seq: number): Promise<Buffer | undefined> {
    const holder = this.#files.find(({ file }) => seq <= (file.seqs.at(-1) ?? -1));
    return await holder?.file.get(seq);
  }

  async *items(from: number, to: number): AsyncGenerator<KeptItem & { readonly bytes: Buffer }> {
    for (const { file } of this.#files) yield* file.items(from, to);
  }

  /** Each file that is not as it was written, with the first entry it speaks of. */
  async damaged(): Promise<{ readonly name: string; readonly first: number; readonly last: number }[]> {
    const found = await Promise.all(
      this.#files.map(async ({ name, file }) => ({
        name,
        first: file.seqs[0] ?? 0,
        last: file.seqs.at(-1) ?? 0,
        intact: await file.intact(),
      })),
    );
    return found.filter(({ intact }) => !intact);
  }
}
