import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, types } from 'cassandra-driver';
import { SentinelError } from '../errors.js';

/** One step of a schema. Its statements MUST change nothing when they are run again. */
export interface SchemaStep {
  readonly name: string;
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** A part of a keyspace's schema with steps of its own, such as the tables of one service. */
export interface SchemaPart {
  readonly name: string;
  /** Oldest first. Names are never changed, and steps only added. */
  readonly steps: readonly SchemaStep[];
}

/** Whoever died with the lock loses it; no step takes so long. */
const LOCK_TTL_S = 60;
const LOCK_WAIT_MS = 90_000;
const LOCK_POLL_MS = 200;
const SERIAL = { consistency: types.consistencies.localQuorum, serialConsistency: types.consistencies.localSerial };
/** Schema changes cannot be prepared. */
const PLAIN = { prepare: false };

const OWN_TABLES = [
  'CREATE TABLE IF NOT EXISTS schema_steps (part text, name text, PRIMARY KEY (part, name))',
  'CREATE TABLE IF NOT EXISTS schema_lock (part text PRIMARY KEY, holder text)',
];

/** Names of the steps that were done, oldest first; a newer version may have done more than this one knows. */
export async function doneSteps(client: Client, part: SchemaPart): Promise<string[]> {
  const { rows } = await client.execute(
    'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?',
    [client.keyspace.toLowerCase(), 'schema_steps'],
  );
  if (rows.length === 0) return [];
  const done = await client.execute('SELECT name FROM schema_steps WHERE part = ?', [part.name], SERIAL);
  return done.rows.map((row) => String(row['name'])).sort();
}

/** Does what is missing; instances that start together take turns. @returns the steps that this call did */
export async function migrateUp(client: Client, part: SchemaPart): Promise<string[]> {
  const missing = (done: readonly string[]) => part.steps.filter(({ name }) => !done.includes(name));
  if (missing(await doneSteps(client, part)).length === 0) return [];
  for (const statement of OWN_TABLES) await client.execute(statement, [], PLAIN);
  return withLock(client, part, async () => {
    const steps = missing(await doneSteps(client, part));
    for (const { name, up } of steps) {
      for (const statement of up) await client.execute(statement, [], PLAIN);
      await client.execute('INSERT INTO schema_steps (part, name) VALUES (?, ?)', [part.name, name], SERIAL);
    }
    return steps.map(({ name }) => name);
  });
}

/**
 * Undoes steps, newest first: those after `to`, or the newest one. Their data is gone.
 * @returns the steps that this call undid
 * @throws SentinelError FAILED_PRECONDITION where a newer version has added steps that this one cannot undo
 */
export async function migrateDown(client: Client, part: SchemaPart, to?: string): Promise<string[]> {
  if ((await doneSteps(client, part)).length === 0) return [];
  return withLock(client, part, async () => {
    const done = await doneSteps(client, part);
    refuseUnknown(part, done);
    const newestFirst = part.steps.filter(({ name }) => done.includes(name)).toReversed();
    const undone = to === undefined ? newestFirst.slice(0, 1) : newestFirst.slice(0, placeOf(newestFirst, to));
    for (const { name, down } of undone) {
      // First the name: a step that is half undone is done again by the next migrateUp.
      await client.execute('DELETE FROM schema_steps WHERE part = ? AND name = ?', [part.name, name], SERIAL);
      for (const statement of down) await client.execute(statement, [], PLAIN);
    }
    return undone.map(({ name }) => name);
  });
}

function placeOf(newestFirst: readonly SchemaStep[], to: string): number {
  const place = newestFirst.findIndex(({ name }) => name === to);
  if (place >= 0) return place;
  throw new SentinelError({
    code: 'NOT_FOUND',
    message: `there is no step ${to} to go back to`,
    field: '--to',
    hint: `Steps that were done: ${newestFirst.map(({ name }) => name).join(', ')}.`,
  });
}

function refuseUnknown(part: SchemaPart, done: readonly string[]): void {
  const unknown = done.find((name) => !part.steps.some((step) => step.name === name));
  if (unknown === undefined) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `step ${unknown} of the ${part.name} schema is unknown to this version`,
    hint: 'Go back with the version that made it.',
  });
}

/** A lightweight transaction gives the lock to one instance alone. */
async function withLock<T>(client: Client, part: SchemaPart, work: () => Promise<T>): Promise<T> {
  const holder = randomUUID();
  const deadline = performance.now() + LOCK_WAIT_MS;
  while (!(await tookLock(client, part, holder))) {
    if (performance.now() > deadline) throw lockTaken(part);
    await sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await client.execute('DELETE FROM schema_lock WHERE part = ? IF holder = ?', [part.name, holder], SERIAL);
  }
}

async function tookLock(client: Client, part: SchemaPart, holder: string): Promise<boolean> {
  const insert = `INSERT INTO schema_lock (part, holder) VALUES (?, ?) IF NOT EXISTS USING TTL ${LOCK_TTL_S}`;
  return (await client.execute(insert, [part.name, holder], { ...SERIAL, isIdempotent: false })).wasApplied();
}

function lockTaken(part: SchemaPart): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'CONFLICT',
    message: `another instance has been changing the ${part.name} schema for ${LOCK_WAIT_MS / 1000} s`,
    hint: `Try again; a lock that was left behind ends after ${LOCK_TTL_S} s.`,
  });
}
