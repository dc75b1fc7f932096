import type { HealthReport } from './api/http/routes.js';
import type { Store } from './events/stores.js';
import type { Events } from './events.js';

const STARTING = 'the engine is starting: nothing is acknowledged until it has read its state';
const LEADER_AWAY = 'no replica decides, or this one does not reach one that does: nothing is acknowledged here';
const AWAY = {
  state: 'the database is away: nothing is acknowledged',
  history: 'the history is away: agents keep their records',
} as const;

/** What this engine can and cannot do at the moment, as /health says it. */
export class Condition {
  readonly #events: Events;
  readonly #troubles = new Map<keyof typeof AWAY, string>();

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
    else this.#troubles.set(store, AWAY[store]);
  }

  /** This engine has none any more. */
  forgetHistory(): void {
    this.#troubles.delete('history');
    this.#events.forget('history');
  }

  report(now: Pick<HealthReport, 'activeAgents' | 'replica'> & { readonly leaderAway: boolean }): HealthReport {
    const { leaderAway, activeAgents, replica } = now;
    const of = (store: Store) => (this.#events.isUp(store) ? 'up' : 'away');
    const noLeader = replica === null ? STARTING : LEADER_AWAY;
    return {
      reasons: [...this.#troubles.values(), ...(leaderAway ? [noLeader] : [])],
      remarks: this.#remarks(),
      stores: { state: of('state'), history: of('history'), ledger: of('ledger'), bus: of('bus') },
      activeAgents,
      uptimeSeconds: Math.floor(process.uptime()),
      replica,
    };
  }

  #remarks(): string[] {
    const why = this.#events.whyAway('bus');
    return why === null ? [] : [`decisions go on, live updates of other replicas and cached states come late: ${why}`];
  }
}
