import { auditTrail } from '../../harness/ledger-client.js';
import type { Reachable } from '../../harness/stack.js';
import { type Named, namedBy } from './outcome.js';

/** What the ledger is told of one round that is wrong. */
export class Entries {
  readonly named: Named[] = [];
  readonly startMs: number;
  readonly #stack: Reachable;
  readonly #startUs: bigint;
  readonly #seen = new Set<string>();

  /** @param startUs of the round, since the Unix epoch @param startMs the same by `performance.now()` */
  constructor(stack: Reachable, startUs: bigint, startMs: number) {
    this.#stack = stack;
    this.#startUs = startUs;
    this.startMs = startMs;
  }

  /** Adds what is new. */
  async read(): Promise<void> {
    for (const entry of await auditTrail(this.#stack, '', this.#startUs)) {
      const id = Buffer.from(entry.eventId).toString('hex');
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      const one = namedBy(entry, (performance.now() - this.startMs) / 1000);
      if (one !== null) this.named.push(one);
    }
  }
}
