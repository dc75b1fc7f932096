import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, types } from 'cassandra-driver';
import { SentinelError } from '../errors.js';
import type { StepStatus } from '../schema-owner.js';
import { SCHEMA_TIMEOUT_MS, schemaAgreed } from './connect.js';
import { isMissing, isUnready } from './errors.js';

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

/** The name for "before the first step". */
const NONE = 'none';
/** Whoever died with the lock loses it; no step takes so long. */
const LOCK_TTL_S = 60;
const LOCK_WAIT_MS = 90_000;
const POLL_MS = 200;
const readTimeout = SCHEMA_TIMEOUT_MS;
const SERIAL = {
  consistency: types.consistencies.localQuorum,
  serialConsistency: types.consistencies.localSerial,
  readTimeout,
};
/** Schema changes cannot be prepared. */
const PLAIN = { prepare: false, readTimeout };

const OWN_TABLES = [
  'CREATE TABLE IF NOT EXISTS schema_steps (part text, name text, PRIMARY KEY (part, name))',
  'CREATE TABLE IF NOT EXISTS schema_lock (part text PRIMARY KEY, holder text)',
];

/** Names, oldest first. */
async function doneSteps(client: Client, part: SchemaPart): Promise<string[]> {
  for (const end = performance.now() + SCHEMA_TIMEOUT_MS; ; await sleep(POLL_MS)) {
    try {
      const { rows } = await client.execute('SELECT name FROM schema_steps WHERE part = ?', [part.name], SERIAL);
      return rows.map((row) => String(row.name)).sort();
    } catch (error) {
      if (isMissing(error, 'schema_steps')) return [];
      if (!isUnready(error) || performance.now() > end) throw error;
    }
  }
}

/** Every step that this version or the keyspace knows, oldest first. */
export async function schemaStatus(client: Client, part: SchemaPart): Promise<StepStatus[]> {
  const done = await doneSteps(client, part);
  const known = part.steps.map(({ name }) => name);
  const names = [...new Set([...known, ...done])].sort();
  return names.map((name) => ({ name, done: done.includes(name), known: known.includes(name) }));
}

/**
 * Does what is missing, or what is missing up to the step `to`. Instances that start together take turns.
 * @returns the steps that this call did
 * @throws SentinelError INVALID_ARGUMENT for a step that does not exist
 */
export async function migrateUp(client: Client, part: SchemaPart, to?: string): Promise<string[]> {
  const wanted = part.steps.slice(0, to === undefined ? part.steps.length : placeOf(part, to) + 1);
  const missing = (done: readonly string[]) => wanted.filter(({ name }) => !done.includes(name));
  if (missing(await doneSteps(client, part)).length === 0) return [];
  for (const statement of OWN_TABLES) await client.execute(statement, [], PLAIN);
  await schemaAgreed(client);
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
 * Takes steps back, newest first, with all that they hold: the newest one, or all above `to` (`none` = every one).
 * @returns the steps that this call took back
 * @throws SentinelError FAILED_PRECONDITION for steps of a newer version, INVALID_ARGUMENT for one that does not exist
 */
export async function migrateDown(client: Client, part: SchemaPart, to?: string): Promise<string[]> {
  const kept = to === undefined || to === NONE ? 0 : placeOf(part, to) + 1;
  if ((await doneSteps(client, part)).length === 0) return [];
  return withLock(client, part, async () => {
    const done = await doneSteps(client, part);
    refuseUnknown(part, done);
    const above = part.steps.slice(kept).filter(({ name }) => done.includes(name));
    const undone = above.toReversed().slice(0, to === undefined ? 1 : above.length);
    for (const { name, down } of undone) {
      // First the name: a step that is half taken back is taken again by the next migrateUp.
      await client.execute('DELETE FROM schema_steps WHERE part = ? AND name = ?', [part.name, name], SERIAL);
      for (const statement of down) await client.execute(statement, [], PLAIN);
    }
    return undone.map(({ name }) => name);
  });
}

function placeOf({ steps }: SchemaPart, name: string): number {
  const place = steps.findIndex((step) => step.name === name);
  if (place >= 0) return place;
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: `there is no step ${name}`,
    field: 'to',
    hint: `The steps are ${steps.map((step) => step.name).join(', ')}.`,
  });
}

function refuseUnknown(part: SchemaPart, done: readonly string[]): void {
  const unknown = done.find((name) => !part.steps.some((step) => step.name === name));
  if (unknown === undefined) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `step ${unknown} of the ${part.name} schema is unknown to this version`,
    hint: 'Take it back with the version that made it.',
  });
}

/** A lightweight transaction gives the lock to one instance alone. */
async function withLock<T>(client: Client, part: SchemaPart, work: () => Promise<T>): Promise<T> {
  const holder = randomUUID();
  const deadline = performance.now() + LOCK_WAIT_MS;
  while (!(await tookLock(client, part, holder))) {
    if (performance.now() > deadline) throw lockTaken(part);
    await sleep(POLL_MS);
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
