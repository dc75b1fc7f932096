import type { SchemaStep } from '@sentinel/service-kit/cql/schema-steps';

/**
 * The tables of the log. Whatever a batch writes has the fencing epoch of its writer in its key: no row is written twice
 * with two contents, so no clock decides what is read. `geometry.ts` says how large a partition becomes.
 *
 * - `heads`: the one row whose lightweight transaction is the commit.
 * - `leaves`, `details`: records of at most 256 entries, none across a multiple of 256; details apart, so that they can be pruned.
 * - `hashes`: nodes of the tree by tile level, in the order of their index; tile (level, n) is [256 n, 256 n + 256).
 * - `marks`: high-water marks of producers that a commit raised; the first commit of each partition has all of them.
 * - `blocks`: the index of each 65,536 entries by GPU, type and time; `event_ids`: fingerprints of their event ids.
 * - `checkpoints`: the newest signed checkpoint of each epoch; `rollback_guard`: the same in a second place. The size is the timestamp
 *   of a write, so that the largest one wins.
 * - `writers`: who writes at the moment; rows end by themselves.
 */
export const LOG_TABLES: SchemaStep = {
  name: '0001-log',
  up: [
    `CREATE TABLE IF NOT EXISTS heads (log text PRIMARY KEY, epoch bigint, size bigint, chain_head blob, batch_id blob, owner blob, head blob)`,
    ...['leaves', 'details'].map(
      (
        table,
      ) => `CREATE TABLE IF NOT EXISTS ${table} (log text, bucket int, first_seq bigint, epoch bigint, batch_id blob, record blob,
        PRIMARY KEY ((log, bucket), first_seq, epoch, batch_id))`,
    ),
    `CREATE TABLE IF NOT EXISTS hashes (log text, level int, bucket int, first bigint, epoch bigint, hashes blob,
       PRIMARY KEY ((log, level, bucket), first, epoch))`,
    `CREATE TABLE IF NOT EXISTS marks (log text, bucket int, commit_no bigint, epoch bigint, marks blob,
       PRIMARY KEY ((log, bucket), commit_no, epoch))`,
    ...['blocks', 'event_ids'].map(
      (table) => `CREATE TABLE IF NOT EXISTS ${table} (log text, block int, content blob, PRIMARY KEY ((log, block)))`,
    ),
    ...['checkpoints', 'rollback_guard'].map(
      (table) => `CREATE TABLE IF NOT EXISTS ${table} (log text, epoch bigint, note text, PRIMARY KEY ((log), epoch))`,
    ),
    `CREATE TABLE IF NOT EXISTS writers (log text, owner blob, host text, pid int, PRIMARY KEY ((log), owner)) WITH gc_grace_seconds = 3600`,
  ],
  down: [
    'heads',
    'leaves',
    'details',
    'hashes',
    'marks',
    'blocks',
    'event_ids',
    'checkpoints',
    'rollback_guard',
    'writers',
  ].map((table) => `DROP TABLE IF EXISTS ${table}`),
};
