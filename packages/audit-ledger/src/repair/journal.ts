/**
 * Repairs that are not entries of the log yet, beside it in a file: what changes stored bytes is written down first, so that a
 * crash leaves no repair that nobody hears of. The next writer records what it finds.
 */
import { dirname, join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { JsonValue } from '../detail/canonical.js';
import { type Disk, nodeDisk } from '../storage/file/disk.js';
import { readWhole, writeSynced } from '../storage/file/files.js';

export interface PendingRepair {
  /** Event id of the entry, hexadecimal: however often it is recorded, it is one entry. */
  readonly id: string;
  /** Event time, microseconds since the Unix epoch. */
  readonly atUs: number;
  readonly detail: { readonly [name: string]: JsonValue };
}

/** Beside the log, as what verifications know. */
export function repairJournalPath({ data_dir: folder }: { readonly data_dir: string }): string {
  return `${join(folder)}.repair`;
}

export class RepairJournal {
  readonly #path: string;
  readonly #disk: Disk;

  constructor(path: string, disk: Disk = nodeDisk) {
    this.#path = path;
    this.#disk = disk;
  }

  /** @throws SentinelError DATA_LOSS where the file is not as it was written */
  async pending(): Promise<PendingRepair[]> {
    const bytes = await readWhole(this.#path, this.#disk);
    try {
      return bytes === undefined ? [] : (JSON.parse(bytes.toString('utf8')) as PendingRepair[]);
    } catch (cause) {
      throw new SentinelError({
        code: 'DATA_LOSS',
        message: `${this.#path} cannot be read: it says which repairs the log does not name yet`,
        hint: 'Look at it, then remove it.',
        cause,
      });
    }
  }

  /** Durable when resolved, in place of one with the same id. */
  async put(repair: PendingRepair): Promise<void> {
    const others = (await this.pending()).filter(({ id }) => id !== repair.id);
    await this.#replace([...others, repair]);
  }

  async remove(id: string): Promise<void> {
    await this.#replace((await this.pending()).filter((repair) => repair.id !== id));
  }

  async #replace(repairs: readonly PendingRepair[]): Promise<void> {
    if (repairs.length === 0) await this.#disk.remove(this.#path);
    else {
      const draft = `${this.#path}.tmp`;
      await this.#disk.remove(draft);
      await writeSynced(this.#disk, draft, `${JSON.stringify(repairs)}\n`, 0o640);
      await this.#disk.rename(draft, this.#path);
    }
    await this.#disk.syncDirectory(dirname(this.#path));
  }
}
