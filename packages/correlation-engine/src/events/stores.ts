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

/** Which stores are there, as far as is known. */
export class StoreHealth {
  readonly #log: Logger;
  readonly #up: Gauge<'store'>;
  readonly #away = new Map<Store, { readonly reason: string; readonly saidMs: number }>();

  constructor(log: Logger, up: Gauge<'store'>) {
    this.#log = log;
    this.#up = up;
  }

  /** `error` null = it is back. Said once for each reason, and again while it lasts. */
  changed(store: Store, error: unknown): void {
    const said = this.#away.get(store);
    if (error === null) {
      if (said === undefined) return;
      this.#away.delete(store);
      this.#up.set({ store }, 1);
      this.#log.info({ store }, `the ${NAMES[store]} is back`);
      return;
    }
    this.#up.set({ store }, 0);
    const known = SentinelError.from(error);
    const reason = known.sentence;
    if (said?.reason === reason && performance.now() - said.saidMs < REPEAT_MS) return;
    this.#away.set(store, { reason, saidMs: performance.now() });
    const how = REFUSALS.has(known.code) ? 'refuses what it is sent' : 'is away';
    const level = store === 'bus' ? 'warn' : 'error';
    const facts = { store, reason, setting: known.field || undefined };
    this.#log[level](facts, `the ${NAMES[store]} ${how}: ${CONSEQUENCES[store]}`);
  }

  /** Nobody asks for it any more: what is known of it is nothing. */
  forget(store: Store): void {
    this.#away.delete(store);
    this.#up.set({ store }, 1);
  }

  /** As far as is known. */
  isUp(store: Store): boolean {
    return !this.#away.has(store);
  }

  /** Why it is away, as a sentence that names the setting; null = it is not. */
  whyAway(store: Store): string | null {
    return this.#away.get(store)?.reason ?? null;
  }
}
