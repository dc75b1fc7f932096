import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@sentinel/service-kit/logging';
import { type Kysely, sql } from 'kysely';
import { Database } from '../store/connect.js';
import { GPUS } from '../store/history/testing/node-day.js';
import type { Tables } from '../store/schema.js';
import { StateStore } from '../store/state-store.js';
import { KEPT_SNAPSHOTS } from '../store/writer.js';
import { BenchFleet } from './bench-fleet.js';

/** Wrong results whose rows are weighed. */
const WEIGHED = 2_000;
/** Of what only grows, `database.retention` keeps so many days at most: twice log_days. */
const LOG_DAYS = 180;
/** Each agent starts anew so often in that time: releases, drivers, repairs. */
const RESTARTS = 26;
/** A device in a hundred fails in a year, with so many wrong results each: those of bursts, watches and deep tests. */
const WRONG_RESULTS_PER_GPU_YEAR = 0.01 * 10_000;
/** Copies of the state: two that the log may begin with, and that of the newest upgrade. */
const COPIES = 3;
const FLEET = 1000;

const STATE = ['devices', 'nodes', 'facts', 'counters', 'spools', 'unarchived', 'node_owners', 'head'] as const;

/**
 * Weighs the tables of an embedded PostgreSQL after a day of `nodes` nodes at the default schedule.
 * @returns bytes that 1,000 GPUs take after a year
 */
export async function postgresBytes(folder: string, nodes: number, dayUs: number): Promise<number> {
  // As root PostgreSQL is another user, who has to get there.
  await chmod(folder, 0o711);
  const url = `embedded://${join(folder, 'pg')}`;
  const options = { url, maxConnections: 4, connectTimeoutMs: 5_000, sslmode: 'disable', caFile: '' } as const;
  const store = new StateStore(new Database(options, silentLogger()), silentLogger(), () => {});
  try {
    const fleet = await BenchFleet.start(store, nodes, dayUs);
    const hellos = await sizeOf(store.db, ['records']);
    await fleet.day();
    const day = (await sizeOf(store.db, ['records'])) - hellos;
    const state = await sizeOf(store.db, STATE);
    await fleet.keepBase();
    const copy = await sizeOf(store.db, ['log_base_rows']);
    const gpus = nodes * GPUS;
    return (
      (FLEET / gpus) * (state + COPIES * copy + RESTARTS * hellos) +
      LOG_DAYS * day +
      KEPT_SNAPSHOTS * (await snapshotBytes(store.db)) +
      FLEET * WRONG_RESULTS_PER_GPU_YEAR * (await wrongResultBytes(store.db, fleet))
    );
  } finally {
    await store.close();
  }
}

async function wrongResultBytes(db: Kysely<Tables>, fleet: BenchFleet): Promise<number> {
  const before = await sizeOf(db, ['observations']);
  await fleet.fail(WEIGHED);
  return ((await sizeOf(db, ['observations'])) - before) / WEIGHED;
}

/** With their indexes. */
async function sizeOf(db: Kysely<Tables>, tables: readonly string[]): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select sum(pg_total_relation_size(name::regclass))::bigint as bytes
    from unnest(${tables}::text[]) as name`.execute(db);
  return rows[0]?.bytes ?? 0;
}

async function snapshotBytes(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{
    bytes: number;
  }>`select coalesce(avg(pg_column_size(body)), 0)::float8 as bytes from trust_snapshots`.execute(db);
  return rows[0]?.bytes ?? 0;
}
