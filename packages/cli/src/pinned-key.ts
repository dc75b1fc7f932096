import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Checkpoint, followRotations, parseVerifierKey, type VerifierKey } from '@sentinel/audit-ledger/verify';
import type { Endpoints } from './endpoints.js';
import { ConfigurationError, usageError } from './failure.js';

/** In a data folder whose endpoints name no other place. */
const KEY_FILE = 'run/ledger.vkey';
/** Beside the key: the newest checkpoint that verified, which every later one must extend. */
const CHECKPOINT_SUFFIX = '.checkpoint.json';
const ROOT_BYTES = 32;

export interface TrustedKey {
  readonly key: VerifierKey;
  /** Whose word it is: a flag's, an earlier use's, or, only at first use, the ledger's own. */
  readonly from: 'flag' | 'pinned' | 'first use';
}

/** What this installation remembers of its ledger. */
export class Pin {
  readonly file: string;
  readonly #dataDir: string;

  constructor(endpoints: Endpoints, dataDir: string) {
    this.file = endpoints.verifierKeyPath ?? join(dataDir, KEY_FILE);
    this.#dataDir = dataDir;
  }

  /** @throws ConfigurationError when the file holds no key */
  read(): VerifierKey | null {
    const text = readOrNull(this.file);
    if (text === null) return null;
    try {
      return parseVerifierKey(text.trim());
    } catch (cause) {
      const hint = 'Remove it to pin the key anew, or give one with --key.';
      const message = `${this.file} holds no verifier key (${(cause as Error).message})`;
      throw new ConfigurationError({ code: 'FAILED_PRECONDITION', message, hint, cause });
    }
  }

  /** @returns whether it will be known next time */
  keep(key: VerifierKey): boolean {
    return this.#write(this.file, `${key.text}\n`);
  }

  /** The newest checkpoint that verified under `key`; null = none yet. */
  checkpoint(key: VerifierKey): Checkpoint | null {
    const found = this.#stored(key);
    return found && { origin: found.origin, size: found.size, root: Buffer.from(found.root, 'base64') };
  }

  /** Notes by which the log was seen to be handed over from `key`, oldest first. */
  rotations(key: VerifierKey): readonly string[] {
    return this.#stored(key)?.rotations ?? [];
  }

  /** The key that `key` is known to have handed over to. @param more notes that somebody else says lead further */
  newest(key: VerifierKey, more: readonly string[] = []): VerifierKey {
    return followRotations(
      key,
      [...this.rotations(key), ...more].map((note) => ({ note })),
    ).key;
  }

  keepCheckpoint(key: VerifierKey, { origin, size, root }: Checkpoint, rotations: readonly string[]): boolean {
    const text = Buffer.from(root).toString('base64');
    const stored: StoredCheckpoint = { key: key.text, rotations, origin, size, root: text };
    return this.#write(this.file + CHECKPOINT_SUFFIX, `${JSON.stringify(stored)}\n`);
  }

  /** An operator accepts that the ledger went back: what was remembered is put aside. @returns where; null = it could not be */
  acceptRollback(): string | null {
    const aside = `${this.file}.before-rollback.json`;
    try {
      renameSync(this.file + CHECKPOINT_SUFFIX, aside);
      return aside;
    } catch {
      return null;
    }
  }

  /** @throws ConfigurationError where something is kept that is none: forgotten, it would let a forked log pass */
  #stored(key: VerifierKey): StoredCheckpoint | null {
    const file = this.file + CHECKPOINT_SUFFIX;
    const text = readOrNull(file);
    if (text === null) return null;
    const found = storedIn(text);
    if (found === undefined)
      throw new ConfigurationError({
        code: 'FAILED_PRECONDITION',
        message: `${file} is damaged: what was verified of the ledger before is not known`,
        hint: 'Restore it from a copy; remove it only if you accept that a forked log would not be noticed.',
      });
    return found.key === key.text ? found : null;
  }

  #write(file: string, text: string): boolean {
    if (!existsSync(this.#dataDir)) return false;
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(temporary, text, { mode: 0o600 });
      renameSync(temporary, file);
      return true;
    } catch {
      return false;
    }
  }
}

interface StoredCheckpoint {
  /** The pinned one. */
  readonly key: string;
  readonly rotations?: readonly string[];
  readonly origin: string;
  readonly size: number;
  /** base64 */
  readonly root: string;
}

function storedIn(text: string): StoredCheckpoint | undefined {
  try {
    const found = JSON.parse(text) as StoredCheckpoint;
    const { key, origin, size, root, rotations = [] } = found;
    const whole =
      [key, origin, root, ...rotations].every((each) => typeof each === 'string') &&
      Number.isSafeInteger(size) &&
      Buffer.from(root, 'base64').length === ROOT_BYTES;
    return whole ? found : undefined;
  } catch {
    return undefined;
  }
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${file} cannot be read (${(cause as Error).message})`;
    throw new ConfigurationError({ code: 'PERMISSION_DENIED', message, hint: 'Give the key with --key.', cause });
  }
}

/** A key as given on the command line. @throws SentinelError INVALID_ARGUMENT */
export function keyOfFlag(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    throw usageError('--key', `--key is no note verifier key (${(cause as Error).message})`);
  }
}
