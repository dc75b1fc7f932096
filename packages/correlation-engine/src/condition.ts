import type { HealthReport } from './api/http/routes.js';
import type { Store } from './events/stores.js';
import type { Events } from './events.js';

const STARTING = 'the engine is starting: nothing is acknowledged until it has read its state';
const LEADER_AWAY = 'no replica decides, or this one does not reach one that does: nothing is acknowledged here';
const AWAY = {
  state: 'the database is away: nothing is acknowledged',
  history: 'the history is away: agents keep their records',
} as const;

const ENTRIES_WAIT =
  'decisions go on, their entries wait and nothing is lost. Run "sentinel audit verify"; if somebody rolled the ledger back on purpose, "sentinel audit accept-rollback --reason TEXT" goes on';

/** What this engine can and cannot do at the moment, as /health says it. */
export class Condition {
  readonly #events: Events;
  readonly #troubles = new Set<keyof typeof AWAY>();

  #clock: string | null = null;

  constructor(events: Events) {
    this.#events = events;
  }

  get isStateUp(): boolean {
    return !this.#troubles.has('state');
  }

  /** @param error null = the store answers */
  storeChanged(store: keyof typeof AWAY, error: unknown): void {
    this.#events.storeChanged(store, error);
    if (error === null) this.#troubles.delete(store);
    else this.#troubles.add(store);
  }

  /** Whoever decides asks the history and the ledger, and nobody else. */
  decidesNoMore(): void {
    this.#troubles.delete('history');
    this.#events.forget('history');
    this.#events.forget('ledger');
  }

  report(now: Pick<HealthReport, 'activeAgents' | 'replica'> & { readonly leaderAway: boolean }): HealthReport {
    const { leaderAway, activeAgents, replica } = now;
    const of = (store: Store) => this.#events.standing(store);
    const noLeader = replica === null ? STARTING : LEADER_AWAY;
    return {
      reasons: [...[...this.#troubles].map((store) => this.#trouble(store)), ...(leaderAway ? [noLeader] : [])],
      remarks: this.#remarks(),
      stores: { state: of('state'), history: of('history'), ledger: of('ledger'), bus: of('bus') },
      activeAgents,
      uptimeSeconds: Math.floor(process.uptime()),
      replica,
    };
  }

  #trouble(store: keyof typeof AWAY): string {
    const why = this.#events.whyAway(store);
    return why === null ? AWAY[store] : `${AWAY[store]}: ${why}`;
  }

  /** @param trouble null = the clock is right again */
  clockChanged(trouble: string | null): void {
    this.#clock = trouble;
    this.#events.clockChanged(trouble);
  }

  #remarks(): string[] {
    const why = this.#events.whyAway('bus');
    const bus =
      why === null ? [] : [`decisions go on, live updates of other replicas and cached states come late: ${why}`];
    return [...bus, ...this.#ledgerRemarks(), ...(this.#clock === null ? [] : [this.#clock])];
  }

  #ledgerRemarks(): string[] {
    const { contradiction } = this.#events;
    if (contradiction !== '') return [`${contradiction}: ${ENTRIES_WAIT}`];
    const why = this.#events.whyAway('ledger');
    return why === null ? [] : [`decisions go on, the audit ledger takes no entries, and they wait: ${why}`];
  }
}
