import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { SchemaOwner } from '@sentinel/service-kit/schema-owner';
import { databaseOptions } from '../settings.js';
import { Database } from '../store/connect.js';
import { assertDatabaseExists } from '../store/embedded/exists.js';
import { migrateDown, migrateUp, schemaStatus } from '../store/migrate.js';

/**
 * The tables of state and decisions. An embedded server that does not run is started for as long as this is open.
 * @param make an embedded database is made where there is none
 */
export async function stateSchema(config: CorrelationEngineConfig, make: boolean): Promise<SchemaOwner> {
  if (!make) assertDatabaseExists(config.database.postgres_url);
  const database = new Database(databaseOptions(config), silentLogger());
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw database.explain(error);
    });
  const startedServer = await told(database.ensureRunning());
  return {
    up: (to) => told(migrateUp(database, to)),
    down: (to) => told(migrateDown(database, to)),
    status: () => told(statusOf(database)),
    [Symbol.asyncDispose]: async () => {
      if (startedServer) await database.stop();
    },
  };
}

async function statusOf(database: Database) {
  const db = database.forMigration();
  try {
    return await schemaStatus(db);
  } finally {
    await db.destroy();
  }
}
