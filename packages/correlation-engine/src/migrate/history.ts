import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { openClusterSchema } from '@sentinel/service-kit/cql/cluster-schema';
import type { SchemaOwner } from '@sentinel/service-kit/schema-owner';
import { isClustered } from '../store/history/open.js';
import { HISTORY_SCHEMA } from '../store/history/scylla/schema.js';
import { withoutEngine } from './state.js';

/** The tables of the history; null where it lies in segment files, which have no schema. */
export async function historySchema(config: CorrelationEngineConfig, make: boolean): Promise<SchemaOwner | null> {
  if (!isClustered(config)) return null;
  const schema = await openClusterSchema(config.scylla, 'correlation_engine', HISTORY_SCHEMA, make);
  return { ...schema, down: (to) => withoutEngine(config, () => schema.down(to)) };
}
