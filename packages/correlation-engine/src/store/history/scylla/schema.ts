import type { SchemaPart } from '@sentinel/service-kit/cql/schema-steps';

/** Days in one window of the compaction: a year of them, the default retention, is 37 windows. */
const WINDOW_DAYS = 10;
/**
 * Bytes that are compressed together. A large piece holds many records of a node, which are alike; a read decompresses at least one.
 */
const CHUNK_KB = 128;
/** Of zstd: what arrives in a minute is compressed in milliseconds. */
const LEVEL = 9;

const BY_TIME = `compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': ${WINDOW_DAYS}}`;
const COMPRESSED = `compression = {'class': 'ZstdCompressor', 'chunk_length_in_kb': ${CHUNK_KB}, 'compression_level': ${LEVEL}}`;

/**
 * The tables of the history. A day is that of the commit (UTC), counted from 1970.
 *
 * - `records`: what the agents sent, packed, once: a record speaks of all devices of its node. Their timestamp is the time of the commit.
 * - `device_days`: on which days there is something about a device, and at which node.
 * - `day_nodes`: the same by day, for a replay.
 * - `spools`: how far the records of a spool are durable. Its rows are written with the sequence as their timestamp, so that the
 *   highest one wins, whoever writes last.
 */
export const HISTORY_SCHEMA: SchemaPart = {
  name: 'history',
  steps: [
    {
      name: '0001-records',
      up: [
        `CREATE TABLE IF NOT EXISTS records (node text, day int, commit_seq bigint, spool_id blob, sequence bigint, offset_us bigint,
           devices frozen<list<text>>, payload blob, PRIMARY KEY ((node, day), commit_seq, spool_id, sequence))
         WITH CLUSTERING ORDER BY (commit_seq DESC, spool_id DESC, sequence DESC) AND ${BY_TIME} AND ${COMPRESSED}`,
        `CREATE TABLE IF NOT EXISTS device_days (device text, day int, node text, PRIMARY KEY ((device), day, node))
         WITH CLUSTERING ORDER BY (day DESC, node ASC) AND ${BY_TIME}`,
        `CREATE TABLE IF NOT EXISTS day_nodes (day int, node text, PRIMARY KEY ((day), node)) WITH ${BY_TIME}`,
        'CREATE TABLE IF NOT EXISTS spools (node text, spool_id blob, archived_through bigint, PRIMARY KEY ((node), spool_id))',
      ],
      down: ['records', 'device_days', 'day_nodes', 'spools'].map((table) => `DROP TABLE IF EXISTS ${table}`),
    },
  ],
};
