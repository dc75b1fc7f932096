import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations, STEPS } from '../../store/migrations.js';
import { withDatabase } from './run-replay.js';

interface StoredLog {
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly history: Readonly<Record<string, string>>;
}

/**
 * Puts a log that fixtures/record-log.mjs stored into the folder of an engine that never ran: the schema and the rows of the
 * release that wrote it. @returns the steps of that schema
 */
export async function restoreLog(folder: string, file: string): Promise<string[]> {
  const { tables, history } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as StoredLog;
  mkdirSync(join(folder, 'history'));
  for (const [name, bytes] of Object.entries(history))
    writeFileSync(join(folder, 'history', name), Buffer.from(bytes, 'base64'));
  const steps = (tables['kysely_migration'] ?? []).map(({ name }) => String(name));
  await withDatabase(folder, async (db) => {
    const known = migrations(Object.fromEntries(Object.entries(STEPS).filter(([name]) => steps.includes(name))));
    const { error } = await new Migrator({ db, provider: { getMigrations: async () => known } }).migrateToLatest();
    if (error !== undefined) throw new Error('the schema of then could not be made', { cause: error });
    for (const [name, rows] of Object.entries(tables)) {
      if (name === 'kysely_migration_lock') continue;
      const table = sql.table(name);
      await sql`delete from ${table}`.execute(db);
      await sql`insert into ${table} select * from json_populate_recordset(null::${table}, ${JSON.stringify(rows)})`.execute(
        db,
      );
    }
  });
  return steps;
}
