import { type Kysely, sql } from 'kysely';
import type { DirectiveUpdate, IncidentUpdate, LiveUpdate, LiveUpdates, StateUpdate } from '../bus/live-updates.js';
import type { FleetAction, FleetFacts, HealthState, Incident } from '../core.js';
import type { Tables } from '../store/schema.js';
import { incidentUpdateOf } from './announce.js';
import type { LiveCursor } from './live-cursor.js';

/** Updates that somebody who was away is told; beyond it a look at the whole fleet is cheaper. */
export const MAX_MISSED_UPDATES = 1_000;

/** An update and where in the log it stands. */
interface Placed {
  readonly commitSeq: number;
  readonly update: LiveUpdate;
}

/** What readers of events ask of it. */
export type LiveLogReader = Pick<LiveLog, 'head' | 'since'>;

/** What was committed, as the database has it: for those who were away. Any replica can read it. */
export class LiveLog {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** The newest record. */
  async head(): Promise<LiveCursor> {
    const { commit_seq: commitSeq, now_us: nowUs } = await this.#db
      .selectFrom('head')
      .selectAll()
      .executeTakeFirstOrThrow();
    return { commitSeq, nowUs };
  }

  /**
   * Everything after the cursor, as one: it ends at the newest record. Incidents come last.
   * @returns null where not all of it is known any more, or it is more than MAX_MISSED_UPDATES
   */
  async since(cursor: LiveCursor): Promise<LiveUpdates | null> {
    return this.#db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (db) => {
        const log = new LiveLog(db);
        const head = await log.head();
        if (cursor.commitSeq > head.commitSeq || (await log.#isPruned(cursor))) return null;
        const states = await log.#states(cursor);
        const directives = await log.#directives(cursor);
        const incidents = await log.#incidents(cursor);
        const placed = [...states, ...directives].sort((a, b) => a.commitSeq - b.commitSeq);
        const updates = [...placed.map(({ update }) => update), ...incidents];
        return updates.length > MAX_MISSED_UPDATES ? null : { ...head, updates };
      });
  }

  async #isPruned({ commitSeq }: LiveCursor): Promise<boolean> {
    const { pruned_commit_seq: pruned } = await this.#db
      .selectFrom('directive_log')
      .select('pruned_commit_seq')
      .executeTakeFirstOrThrow();
    return commitSeq < pruned;
  }

  async #states({ commitSeq }: LiveCursor): Promise<Placed[]> {
    const rows = await this.#db
      .selectFrom('transitions as t')
      .leftJoin('devices as d', 'd.id', 't.device_id')
      .selectAll('t')
      .select('d.node')
      .where('t.commit_seq', '>', commitSeq)
      .orderBy('t.commit_seq')
      .orderBy('t.time_us')
      .limit(MAX_MISSED_UPDATES + 1)
      .execute();
    return rows.map((row) => {
      const { device_id: gpu, reason, actor, injected, time_us: timeUs } = row;
      const [from, to] = [row.from_state, row.to_state] as [HealthState, HealthState];
      const node = row.node ?? '';
      const update: StateUpdate = { kind: 'state', gpu, node, from, to, reason, actor, injected, timeUs };
      return { commitSeq: row.commit_seq, update };
    });
  }

  async #directives({ commitSeq }: LiveCursor): Promise<Placed[]> {
    const rows = await this.#db
      .selectFrom('fleet_directives')
      .selectAll()
      .where('commit_seq', '>', commitSeq)
      .orderBy('commit_seq')
      .orderBy('ordinal')
      .limit(MAX_MISSED_UPDATES + 1)
      .execute();
    return rows.map((row) => {
      const { id, gpu, node, reason, actor, injected, time_us: timeUs } = row;
      const action = row.action as FleetAction;
      const update: DirectiveUpdate = { kind: 'directive', id, action, gpu, node, reason, actor, injected, timeUs };
      return { commitSeq: row.commit_seq, update };
    });
  }

  /** From the incidents as they are: each knows when it was opened and ended, and the records which were confirmed. */
  async #incidents({ commitSeq, nowUs }: LiveCursor): Promise<IncidentUpdate[]> {
    const fact = await this.#db.selectFrom('facts').select('body').where('name', '=', 'fleet').executeTakeFirst();
    const incidents = (fact?.body as Partial<FleetFacts> | undefined)?.incidents ?? [];
    if (incidents.length === 0) return [];
    const confirmed = await this.#confirmed(commitSeq);
    return incidents.toReversed().flatMap((incident) => changesOf(incident, nowUs, confirmed));
  }

  /** Ids of incidents that an operator confirmed after that record, and when. */
  async #confirmed(commitSeq: number): Promise<ReadonlyMap<string, number>> {
    const { rows } = await sql<{ incident: string; now_us: number }>`select body->>'incident' as incident, now_us
      from records where kind = 'incident-order' and commit_seq > ${commitSeq} and body->>'decision' = 'CONFIRM'
      order by commit_seq limit ${MAX_MISSED_UPDATES}`.execute(this.#db);
    return new Map(rows.map((row) => [row.incident, row.now_us]));
  }
}

function changesOf(incident: Incident, nowUs: number, confirmed: ReadonlyMap<string, number>): IncidentUpdate[] {
  const { id, openedUs, endedUs, state } = incident;
  const confirmedUs = confirmed.get(id);
  const changes: IncidentUpdate[] = [];
  if (openedUs > nowUs) changes.push(incidentUpdateOf(incident, 'opened', openedUs));
  if (confirmedUs !== undefined && state !== 'OPEN') changes.push(incidentUpdateOf(incident, 'confirmed', confirmedUs));
  if (endedUs !== null && endedUs > nowUs)
    changes.push(incidentUpdateOf(incident, state === 'RELEASED' ? 'released' : 'closed', endedUs));
  return changes;
}
