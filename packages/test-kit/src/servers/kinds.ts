import { CASSANDRA } from './cassandra/server.js';
import type { ServerKind } from './kind.js';
import { POSTGRES } from './postgres.js';
import { REDIS } from './redis.js';

/** Every server that `testServer` gives. */
export const KINDS = { cassandra: CASSANDRA, postgres: POSTGRES, redis: REDIS } as const satisfies Record<
  string,
  ServerKind
>;

export type ServerName = keyof typeof KINDS;
