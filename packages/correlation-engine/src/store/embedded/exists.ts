import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';

/** Of a server's it is the server that knows. */
export function databaseExists(postgresUrl: string): boolean {
  const folder = folderOf(postgresUrl);
  return folder === undefined || existsSync(join(folder, 'PG_VERSION'));
}

/**
 * For commands that look at a database and must not make one.
 * @throws SentinelError NOT_FOUND where the folder of an embedded one holds none
 */
export function assertDatabaseExists(postgresUrl: string): void {
  if (databaseExists(postgresUrl)) return;
  throw new SentinelError({
    code: 'NOT_FOUND',
    message: `there is no database in ${folderOf(postgresUrl)}`,
    field: 'correlation_engine.database.postgres_url',
    hint: 'Name the configuration of the engine that wrote it, with --config.',
  });
}
