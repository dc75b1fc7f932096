import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { SchemaOwner } from '@sentinel/service-kit/schema-owner';
import { databaseOptions } from '../settings.js';
import { Database } from '../store/connect.js';
import { assertDatabaseExists, databaseExists } from '../store/embedded/exists.js';
import { migrateDown, migrateUp, schemaStatus, whileNoEngineRuns } from '../store/migrate.js';

/**
 * The tables of state and decisions. An embedded server that does not run is started for as long as this is open.
 * @param make an embedded database is made where there is none
 */
export async function stateSchema(config: CorrelationEngineConfig, make: boolean): Promise<SchemaOwner> {
  if (!make) assertDatabaseExists(config.database.postgres_url);
  const { database, told, close } = await openDatabase(config);
  return {
    up: (to) => told(migrateUp(database, to)),
    down: (to) => told(migrateDown(database, to)),
    status: () => told(statusOf(database)),
    [Symbol.asyncDispose]: close,
  };
}

/**
 * For what an engine would miss, in whatever store, if it were taken away while it runs.
 * @throws SentinelError FAILED_PRECONDITION while one runs, UNAVAILABLE where its database cannot be asked
 */
export async function withoutEngine<T>(config: CorrelationEngineConfig, work: () => Promise<T>): Promise<T> {
  // Where none was made, no engine has begun.
  if (!databaseExists(config.database.postgres_url)) return work();
  const { database, told, close } = await openDatabase(config);
  try {
    return await told(whileNoEngineRuns(database, work));
  } finally {
    await close();
  }
}

/** An embedded server that does not run is started, until `close`. `told` explains what its connections fail with. */
async function openDatabase(config: CorrelationEngineConfig) {
  const database = new Database(databaseOptions(config), silentLogger());
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw database.explain(error);
    });
  const startedServer = await told(database.ensureRunning());
  const close = async (): Promise<void> => {
    if (startedServer) await database.stop();
  };
  return { database, told, close };
}

async function statusOf(database: Database) {
  const db = database.forMigration();
  try {
    return await schemaStatus(db);
  } finally {
    await db.destroy();
  }
}
