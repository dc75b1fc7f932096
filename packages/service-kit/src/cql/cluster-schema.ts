import type { SchemaOwner } from '../schema-owner.js';
import { closeCql } from './client.js';
import { type CqlConfig, connectCql, makeKeyspace } from './connect.js';
import { cqlError } from './errors.js';
import { migrateDown, migrateUp, type SchemaPart, schemaStatus } from './schema-steps.js';

/**
 * A part of the schema of a keyspace, connected.
 * @param section whose settings these are, for errors
 * @param make makes the keyspace where there is none
 * @throws SentinelError as `connectCql`
 */
export async function openClusterSchema(
  config: CqlConfig,
  section: string,
  part: SchemaPart,
  make: boolean,
): Promise<SchemaOwner> {
  if (make) await makeKeyspace(config, section);
  const client = await connectCql(config, section);
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw cqlError(error, section);
    });
  return {
    up: (to) => told(migrateUp(client, part, to)),
    down: (to) => told(migrateDown(client, part, to)),
    status: () => told(schemaStatus(client, part)),
    [Symbol.asyncDispose]: () => closeCql(client),
  };
}
