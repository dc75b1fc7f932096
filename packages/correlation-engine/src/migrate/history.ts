import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { connectCql, makeKeyspace } from '@sentinel/service-kit/cql/connect';
import { cqlError } from '@sentinel/service-kit/cql/errors';
import { migrateDown, migrateUp, schemaStatus } from '@sentinel/service-kit/cql/schema-steps';
import { isClustered } from '../store/history/open.js';
import { HISTORY_SCHEMA } from '../store/history/scylla/schema.js';
import type { SchemaOwner } from './part.js';

const SECTION = 'correlation_engine';

/** The tables of the history; null where it lies in segment files, which have no schema. */
export async function historySchema(config: CorrelationEngineConfig, make: boolean): Promise<SchemaOwner | null> {
  if (!isClustered(config)) return null;
  if (make) await makeKeyspace(config.scylla, SECTION);
  const client = await connectCql(config.scylla, SECTION);
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw cqlError(error, SECTION);
    });
  return {
    up: (to) => told(migrateUp(client, HISTORY_SCHEMA, to)),
    down: (to) => told(migrateDown(client, HISTORY_SCHEMA, to)),
    status: () => told(schemaStatus(client, HISTORY_SCHEMA)),
    [Symbol.asyncDispose]: () => client.shutdown(),
  };
}
