import pg from 'pg';
import type { Counter, EngineEvidence } from '../check/reconcile.js';
import { clusterFolder } from './postgres.js';
import type { Stack } from './stack.js';

/** Reads an engine's tables behind its back: what it committed, not what it says. */
export class EngineSql {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** The embedded server knows who connects by the operating system's user; its socket lies in its own folder. */
  static async open(stack: Stack): Promise<EngineSql> {
    const client = new pg.Client({ host: clusterFolder(stack), port: 5432, user: 'sentinel', database: 'sentinel' });
    // A server that a test kills must not end the test.
    client.on('error', () => undefined);
    await client.connect();
    return new EngineSql(client);
  }

  async watermarks(): Promise<(EngineEvidence['watermarks'][number] & { node: string })[]> {
    const rows = await this.#rows('select node, spool_id, committed_through from spools');
    return rows.map((row) => ({
      node: String(row.node),
      spoolId: String(row.spool_id),
      committedThrough: Number(row.committed_through),
    }));
  }

  /** Execution counters, of one device or of all. */
  async counters(device = ''): Promise<Counter[]> {
    const rows = await this.#rows(
      `select device_id, family, runs, executions, failures from counters where $1 in ('', device_id) order by device_id, family`,
      [device],
    );
    return rows.map((row) => ({
      device: String(row.device_id),
      family: Number(row.family),
      runs: Number(row.runs),
      executions: Number(row.executions),
      failures: Number(row.failures),
    }));
  }

  /** Every failing (run, SM), of one device or of all. */
  async failing(device = ''): Promise<EngineEvidence['failing']> {
    const rows = await this.#rows(
      `select spool_id, sequence, "row", sm from observations where $1 in ('', device_id) order by spool_id, sequence, "row", sm`,
      [device],
    );
    return rows.map((row) => ({
      spoolId: String(row.spool_id),
      sequence: Number(row.sequence),
      row: Number(row.row),
      sm: Number(row.sm),
    }));
  }

  /** What the tables have of all that was sent, as of one moment. */
  async evidence(): Promise<Omit<EngineEvidence, 'history'>> {
    await this.#rows('begin isolation level repeatable read read only');
    const evidence = {
      watermarks: await this.watermarks(),
      counters: await this.counters(),
      failing: await this.failing(),
    };
    await this.#rows('commit');
    return evidence;
  }

  /** Committed transitions of a device, oldest first. */
  async transitions(device: string): Promise<{ eventId: string; to: string; commitSeq: number }[]> {
    const rows = await this.#rows(
      'select event_id, to_state, commit_seq from transitions where device_id = $1 order by commit_seq',
      [device],
    );
    return rows.map((row) => ({
      eventId: String(row.event_id),
      to: String(row.to_state),
      commitSeq: Number(row.commit_seq),
    }));
  }

  /** Events that the ledger has not acknowledged yet. */
  async outboxPending(): Promise<number> {
    const [row] = await this.#rows('select count(*) as pending from outbox');
    return Number(row?.pending);
  }

  async #rows(text: string, values: readonly string[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#client.query<Record<string, unknown>>(text, [...values])).rows;
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
