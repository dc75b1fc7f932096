import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of the kernel below a root, which is '/' except in tests. What cannot be read is not there. */
export class Sysfs {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  async text(path: string): Promise<string | undefined> {
    try {
      return (await readFile(join(this.#root, path), 'latin1')).trim();
    } catch {
      return undefined;
    }
  }

  /** A decimal number, or undefined for anything else. */
  async number(path: string): Promise<number | undefined> {
    const text = await this.text(path);
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  }

  /** Names in a folder that match, in the order of their numbers. */
  async list(path: string, pattern: RegExp): Promise<string[]> {
    try {
      const names = (await readdir(join(this.#root, path))).filter((name) => pattern.test(name));
      return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    } catch {
      return [];
    }
  }
}
