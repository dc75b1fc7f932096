/** The keys of a writer: what signs the log, and how that hands over to the next key while entries go on being taken. */
import { randomBytes } from 'node:crypto';
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Ledger } from './commit/ledger.js';
import { landmarkDraft } from './commit/system-entries.js';
import { nextKey, pendingKey, turnKeys } from './note/key-file.js';
import type { SigningKey } from './note/keys.js';
import { signRotation } from './note/rotation.js';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from './open-ledger.js';
import { writerKeyOf } from './settings.js';
import { OtherKeyError } from './storage/errors.js';
import { Turns } from './turns.js';

type KeyConfig = Pick<AuditLedgerConfig, 'signing_key' | 'signing_key_path' | 'origin'>;

export interface HandedOver {
  /** Note verifier key of the key that signs now. */
  readonly verifierKey: string;
  /** Entry that says so. */
  readonly seq: number;
}

export class KeyRing {
  readonly #ledger: Ledger;
  readonly #nowUs: () => number;
  /** A hand-over begins with the key that the one before it ended with. */
  readonly #turns = new Turns();
  #file: string;
  #key: SigningKey;

  private constructor(ledger: Ledger, key: SigningKey, file: string, nowUs: () => number) {
    this.#ledger = ledger;
    this.#key = key;
    this.#file = file;
    this.#nowUs = nowUs;
  }

  /**
   * Opens the log by the configured key. What a crash left of a rotation is brought to its end, and a log that a retired key still
   * signs is handed over to the configured one: the files say what shall be.
   * @throws what openLedger throws
   */
  static async open(
    config: KeyConfig,
    options: Omit<OpenLedgerOptions, 'key'>,
  ): Promise<OpenLedger & { readonly keys: KeyRing }> {
    const { signing_key_path: file } = config;
    const key = writerKeyOf(config);
    const ring = ({ ledger }: OpenLedger, by: SigningKey) => new KeyRing(ledger, by, file, options.nowUs);
    try {
      const opened = await openLedger({ ...options, key });
      return { ...opened, keys: ring(opened, key) };
    } catch (error) {
      if (!(error instanceof OtherKeyError)) throw error;
      const next = pendingKey(file);
      if (next?.verifier.text === error.signedBy) {
        const both = cosigned(next, key);
        const opened = await openLedger({ ...options, key: both });
        turnKeys(file);
        return { ...opened, keys: ring(opened, both) };
      }
      const old = key.cosigners?.find(({ verifier }) => verifier.text === error.signedBy);
      if (old === undefined) throw error;
      const opened = await openLedger({ ...options, key: old });
      const keys = ring(opened, old);
      await keys.#handOver(key, 'signing_key_path');
      return { ...opened, keys };
    }
  }

  /** Makes the next key, hands over to it, and puts it in the place of the old one. To be repeated after a crash. */
  async rotate(by: string): Promise<HandedOver> {
    return await this.#turns.take(async () => {
      if (this.#file === '') throw withoutFile();
      const made = await this.#handOver(nextKey(this.#file, this.#key.verifier.name), by);
      turnKeys(this.#file);
      return made;
    });
  }

  /** After the configuration was read again: another key in it takes over, and a retired one that is gone signs no more. */
  async reload(config: KeyConfig): Promise<HandedOver | undefined> {
    return await this.#turns.take(async () => {
      const key = writerKeyOf(config);
      this.#file = config.signing_key_path;
      if (key.verifier.text !== this.#key.verifier.text) return await this.#handOver(key, 'signing_key_path (SIGHUP)');
      await this.#ledger.signBy(key);
      this.#key = key;
      return undefined;
    });
  }

  async #handOver(next: SigningKey, by: string): Promise<HandedOver> {
    const old = this.#key;
    if (next.verifier.name !== old.verifier.name) throw ofAnotherLog(next, old);
    const both = cosigned(next, old);
    const seq = await this.#ledger.signBy(both, (head) => {
      const note = signRotation(old, next, head.size);
      const detail = { by, new_key: next.verifier.text, note, old_key: old.verifier.text };
      return landmarkDraft('key_rotation', detail, head, this.#nowUs(), randomBytes(16));
    });
    this.#key = both;
    return { verifierKey: next.verifier.text, seq: seq ?? 0 };
  }
}

/** `next` with all that signed so far beside it, each once. */
function cosigned(next: SigningKey, old: SigningKey): SigningKey {
  const beside = new Map<string, SigningKey>();
  for (const each of [old, ...(old.cosigners ?? []), ...(next.cosigners ?? [])])
    if (each.verifier.text !== next.verifier.text) beside.set(each.verifier.text, each);
  return { ...next, cosigners: [...beside.values()] };
}

function withoutFile(): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: 'audit_ledger.signing_key_path',
    message: 'the key of this log is not in a file, so none can be put in its place',
    hint: 'Set signing_key_path, or give the next key in signing_key and send SIGHUP.',
  });
}

function ofAnotherLog(next: SigningKey, old: SigningKey): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: 'audit_ledger.signing_key',
    message: `the new key is of log ${next.verifier.name}, this log is ${old.verifier.name}`,
    hint: 'A log and its keys carry one name: keygen --rotate makes the next one.',
  });
}
