import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';

/**
 * For commands that look at a database and must not make one.
 * @throws SentinelError NOT_FOUND where the folder of an embedded one holds none
 */
export function assertDatabaseExists(postgresUrl: string): void {
  const folder = folderOf(postgresUrl);
  if (folder === undefined || existsSync(join(folder, 'PG_VERSION'))) return;
  throw new SentinelError({
    code: 'NOT_FOUND',
    message: `there is no database in ${folder}`,
    field: 'correlation_engine.database.postgres_url',
    hint: 'Name the configuration of the engine that wrote it, with --config.',
  });
}
