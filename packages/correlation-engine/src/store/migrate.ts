import { SentinelError } from '@sentinel/service-kit/errors';
import type { StepStatus } from '@sentinel/service-kit/schema-owner';
import { type Kysely, sql } from 'kysely';
import { type MigrationResultSet, Migrator, NO_MIGRATIONS } from 'kysely/migration';
import pg from 'pg';
import { takeCheckpoint } from './checkpoint.js';
import { type Database, LEASE_MS } from './connect.js';
import { migrations, STEPS, type Step } from './migrations.js';
import type { Tables } from './schema.js';
import { tryLock } from './writer-lock.js';

const FIELD = 'correlation_engine.database.postgres_url';

/**
 * Brings the schema up to date, and keeps the state as an upgrade found it; or takes the steps up to `to` alone. Engines that start together take turns: the migrator holds an advisory lock,
 * and all steps are one transaction, so that a kill leaves all of them or none.
 * @returns the steps that were taken
 * @throws SentinelError FAILED_PRECONDITION naming the step that failed, INVALID_ARGUMENT for a step that does not exist
 */
export async function migrateUp(database: Database, to?: string): Promise<readonly string[]> {
  if (to !== undefined) assertKnown(to);
  // What lies above the target is not there for this run: the migrator would take it back.
  const wanted = Object.fromEntries(Object.entries(STEPS).filter(([name]) => to === undefined || name <= to));
  const failed = failureOf(database, 'brought up to date');
  return withMigrator(database, wanted, async (db, migrator) => {
    const complete = async (): Promise<boolean> => {
      const done = await stepsDone(db);
      return Object.keys(wanted).every((name) => done.has(name));
    };
    const steps = (await complete()) ? [] : await takeSteps(migrator, complete, failed);
    if (to === undefined) await takeCheckpoint(db, steps.length > 0);
    return steps;
  });
}

/** @returns none where a newer engine went further while this one waited for its turn */
async function takeSteps(
  migrator: Migrator,
  complete: () => Promise<boolean>,
  failed: Failure,
): Promise<readonly string[]> {
  const outcome = await migrator.migrateToLatest();
  return outcome.error !== undefined && (await complete()) ? [] : taken(outcome, failed);
}

/**
 * Takes steps back, newest first: the newest one, or all above `to` (`none` = every one), with all that they hold.
 * @returns the steps that were taken back
 * @throws SentinelError FAILED_PRECONDITION while an engine runs, and for steps of a newer version
 */
export async function migrateDown(database: Database, to?: string): Promise<readonly string[]> {
  if (to !== undefined && to !== 'none') assertKnown(to);
  return whileNoEngineRuns(database, () =>
    withMigrator(database, STEPS, async (db, migrator) => {
      const done = [...(await stepsDone(db))].sort();
      const foreign = done.filter((name) => STEPS[name] === undefined);
      if (foreign.length > 0) throw newerSteps(foreign);
      const target = to === 'none' ? '' : (to ?? done.at(-2) ?? '');
      if (!done.some((name) => name > target)) return [];
      return taken(await migrator.migrateTo(target === '' ? NO_MIGRATIONS : target), failureOf(database, 'taken back'));
    }),
  );
}

/** Meanwhile none starts to decide. @throws SentinelError FAILED_PRECONDITION while one runs */
export async function whileNoEngineRuns<T>(database: Database, work: () => Promise<T>): Promise<T> {
  const lock = new pg.Client(database.connection);
  lock.on('error', () => {});
  await lock.connect();
  try {
    // Whoever writes holds the lock; while it is held here, nobody starts to.
    if (!(await tryLock(lock)) || (await leads(lock))) throw engineRuns();
    return await work();
  } finally {
    await lock.end();
  }
}

/** Every step that this version or the database knows, oldest first. */
export async function schemaStatus(db: Kysely<Tables>): Promise<readonly StepStatus[]> {
  const done = await stepsDone(db);
  const names = [...new Set([...Object.keys(STEPS), ...done])].sort();
  return names.map((name) => ({ name, done: done.has(name), known: STEPS[name] !== undefined }));
}

/** Also when a newer engine has added steps of its own: they only add, so this one runs on them. */
export async function hasEveryStep(db: Kysely<Tables>): Promise<boolean> {
  return (await schemaStatus(db)).every(({ done }) => done);
}

async function withMigrator<T>(
  database: Database,
  steps: Readonly<Record<string, Step>>,
  work: (db: Kysely<Tables>, migrator: Migrator) => Promise<T>,
): Promise<T> {
  const db = database.forMigration();
  try {
    const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(db);
    // Another program's table of this name, in another schema, is not ours.
    const migrationTableSchema = rows[0]?.name ?? 'public';
    const provider = { getMigrations: async () => migrations(steps) };
    return await work(db, new Migrator({ db, provider, migrationTableSchema }));
  } finally {
    await db.destroy();
  }
}

async function stepsDone(db: Kysely<Tables>): Promise<ReadonlySet<string>> {
  const { rows: tables } = await sql<{
    found: boolean;
  }>`select to_regclass(format('%I.kysely_migration', current_schema())) is not null as found`.execute(db);
  if (tables[0]?.found !== true) return new Set();
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return new Set(rows.map((row) => row.name));
}

/** What a step's failure is told as. */
type Failure = (error: unknown, step: string) => SentinelError;

function failureOf(database: Database, what: string): Failure {
  return (error, step) => {
    const known = database.explain(error);
    if (known.code !== 'INTERNAL') return known;
    return new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `the database's schema could not be ${what} at ${step} (${known.message})`,
      field: FIELD,
      hint: 'A newer schema needs a newer engine.',
      cause: error,
    });
  };
}

function taken({ error, results = [] }: MigrationResultSet, failed: Failure): readonly string[] {
  if (error === undefined) return results.map((result) => result.migrationName);
  throw failed(error, results.find((result) => result.status === 'Error')?.migrationName ?? 'the first step');
}

/** A replica that lost its connection a moment ago has its lease still, and comes back. */
async function leads(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`select to_regclass('leader') is not null as found`);
  if (rows[0]?.found !== true) return false;
  const { rowCount } = await client.query(
    `select from leader where holder <> '' and renewed_at >= clock_timestamp() - make_interval(secs => $1)`,
    [LEASE_MS / 1000],
  );
  return (rowCount ?? 0) > 0;
}

function assertKnown(name: string): void {
  if (STEPS[name] !== undefined) return;
  const message = `there is no step ${name}`;
  throw new SentinelError({
    code: 'INVALID_ARGUMENT',
    message,
    field: 'to',
    hint: `The steps are ${Object.keys(STEPS).join(', ')}.`,
  });
}

function engineRuns(): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'CONFLICT',
    message: 'a correlation engine runs on this database',
    field: FIELD,
    hint: 'Stop every engine first: no schema is taken from under it.',
  });
}

function newerSteps(names: readonly string[]): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the database has steps of a newer version (${names.join(', ')})`,
    field: FIELD,
    hint: 'Take them back with the version that made them.',
  });
}
