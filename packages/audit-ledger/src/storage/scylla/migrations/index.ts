import type { SchemaPart } from '@sentinel/service-kit/cql/schema-steps';
import { LOG_TABLES } from './0001-log.js';

/** The schema of the ledger in a cluster: one file per step, oldest first; steps are only added, and never changed. */
export const LEDGER_SCHEMA: SchemaPart = { name: 'ledger', steps: [LOG_TABLES] };
