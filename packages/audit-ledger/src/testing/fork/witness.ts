/**
 * Sees every checkpoint that any writer signs, and knows which entries each covers: of any two, the larger must extend the
 * smaller. It believes no writer: proofs are made from the entry hashes that were handed to the store.
 */
import { entryPreimages } from '../../commit/record.js';
import { parseCheckpointBody } from '../../note/checkpoint.js';
import type { SigningKey } from '../../note/keys.js';
import type { OpenedStore } from '../../storage/backend.js';
import type { LedgerStore } from '../../storage/store.js';
import { sha256 } from '../../tree/hash.js';
import { merkleTreeHash } from '../../tree/mth.js';
import { consistencyRanges } from '../../tree/ranges.js';
import { verifyConsistency } from '../../tree/verify.js';

export class Witness {
  readonly #key: SigningKey;
  /** Texts that were signed, each once. */
  readonly #signed = new Set<string>();
  /** Entry hashes of every log that a writer proposed, by root. */
  readonly #logs = new Map<string, readonly Uint8Array[]>([[hex(merkleTreeHash([])), []]]);

  constructor(key: SigningKey) {
    this.#key = key;
  }

  /** Notices what it signs, the moment it does. */
  readonly key = (): SigningKey => ({
    verifier: this.#key.verifier,
    sign: (message) => {
      this.#signed.add(Buffer.from(message).toString('utf8'));
      return this.#key.sign(message);
    },
  });

  /** Notices what is handed to `opened`. `before`: what is done first at each commit. */
  watch(opened: OpenedStore, before: (head: Parameters<LedgerStore['commit']>[1]) => void): OpenedStore {
    const { store } = opened;
    const commit: LedgerStore['commit'] = async (batch, head) => {
      const base = this.#logs.get(hex(store.head.root)) ?? [];
      const hashes = entryPreimages(batch.entries).map((preimage) => Buffer.from(sha256(preimage)));
      this.#logs.set(hex(head.root), [...base, ...hashes]);
      before(head);
      await store.commit(batch, head);
    };
    const watched = new Proxy(store, {
      get: (target, name) => {
        if (name === 'commit') return commit;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return { ...opened, store: watched };
  }

  get signed(): number {
    return this.#signed.size;
  }

  /** Pairs of signed checkpoints that one log cannot have. */
  inconsistentPairs(): string[] {
    const signed = [...this.#signed].map(parseCheckpointBody).sort((a, b) => a.size - b.size);
    const found: string[] = [];
    for (const [i, large] of signed.entries()) {
      const log = this.#logs.get(hex(large.root)) ?? [];
      for (const small of signed.slice(0, i)) {
        const proof = log.length === large.size ? proofOf(log, small.size) : [];
        if (!verifyConsistency(small, large, proof)) found.push(`${small.size} and ${large.size}`);
      }
    }
    return found;
  }
}

function proofOf(log: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  return consistencyRanges(oldSize, log.length).map(({ start, end }) => merkleTreeHash(log.slice(start, end)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
