import { auditTrail } from '../../harness/ledger-client.js';
import type { Deployment } from './deployment.js';
import { type Named, namedBy } from './outcome.js';

/** What the ledger is told of one round that is wrong. */
export class Entries {
  readonly named: Named[] = [];
  readonly #deployment: Deployment;
  readonly #startUs: bigint;
  readonly #startMs: number;
  readonly #seen = new Set<string>();

  /** @param startUs of the round, since the Unix epoch @param startMs the same by `performance.now()` */
  constructor(deployment: Deployment, startUs: bigint, startMs: number) {
    this.#deployment = deployment;
    this.#startUs = startUs;
    this.#startMs = startMs;
  }

  /** Adds what is new. */
  async read(): Promise<void> {
    for (const entry of await auditTrail(this.#deployment.stack, '', this.#startUs)) {
      const id = Buffer.from(entry.eventId).toString('hex');
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      const one = namedBy(entry, (performance.now() - this.#startMs) / 1000);
      if (one !== null) this.named.push(one);
    }
  }
}
