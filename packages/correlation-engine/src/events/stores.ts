import { type ErrorCode, SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Gauge } from '@sentinel/service-kit/metrics';

export type Store = 'state' | 'history' | 'ledger' | 'bus';

/** Answers of a store that is there: waiting alone does not mend them. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'ALREADY_EXISTS',
  'FAILED_PRECONDITION',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
]);

const NAMES = { state: 'database', history: 'history', ledger: 'audit ledger', bus: 'live cache (Redis)' } as const;
const CONSEQUENCES = {
  state: 'nothing is acknowledged until it is back; agents keep their records',
  history: 'decisions go on; agents keep their records',
  ledger: 'decisions go on; their entries wait',
  bus: 'decisions go on; what others see of them comes late',
} as const;
/** A store that stays away for the same reason is said again after this time. */
const REPEAT_MS = 60_000;

/** Reasons of one store that are remembered; one that comes again after so many others is said again. */
const MAX_REASONS = 16;

/** What is known of a store: that it answered, or did not, when it was last asked; or nothing, because it was never asked. */
export type Standing = 'up' | 'away' | 'unknown';

interface Absence {
  readonly reason: string;
  /** When each reason was last said: some take turns. */
  readonly said: Map<string, number>;
}

/** Which stores are there, as far as is known. */
export class StoreHealth {
  readonly #log: Logger;
  readonly #up: Gauge<'store'>;
  /** null = it is there. */
  readonly #known = new Map<Store, Absence | null>();

  constructor(log: Logger, up: Gauge<'store'>) {
    this.#log = log;
    this.#up = up;
  }

  /** `error` null = it is back. Said once for each reason, and again while it lasts. */
  changed(store: Store, error: unknown): void {
    const before = this.#known.get(store) ?? null;
    if (error === null) {
      this.#known.set(store, null);
      this.#up.set({ store }, 1);
      if (before !== null) this.#log.info({ store }, `the ${NAMES[store]} is back`);
      return;
    }
    const known = SentinelError.from(error);
    const reason = known.sentence;
    const said = before?.said ?? new Map<string, number>();
    this.#known.set(store, { reason, said });
    this.#up.set({ store }, 0);
    if (!isNews(said, reason)) return;
    const how = REFUSALS.has(known.code) ? 'refuses what it is sent' : 'is away';
    const level = store === 'bus' ? 'warn' : 'error';
    const facts = { store, reason, setting: known.field || undefined };
    this.#log[level](facts, `the ${NAMES[store]} ${how}: ${CONSEQUENCES[store]}`);
  }

  /** Nobody asks for it any more: what is known of it is nothing, and its series ends. */
  forget(store: Store): void {
    this.#known.delete(store);
    this.#up.remove({ store });
  }

  standing(store: Store): Standing {
    const known = this.#known.get(store);
    if (known === undefined) return 'unknown';
    return known === null ? 'up' : 'away';
  }

  /** Why it is away, as a sentence that names what to do; null = as far as is known it is not. */
  whyAway(store: Store): string | null {
    return this.#known.get(store)?.reason ?? null;
  }
}

/** Notes it, too. */
function isNews(said: Map<string, number>, reason: string): boolean {
  const now = performance.now();
  const last = said.get(reason);
  if (last !== undefined && now - last < REPEAT_MS) return false;
  const [oldest] = said.keys();
  if (said.size >= MAX_REASONS && oldest !== undefined) said.delete(oldest);
  said.delete(reason);
  said.set(reason, now);
  return true;
}
