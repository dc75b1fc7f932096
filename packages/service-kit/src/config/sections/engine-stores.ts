import { choice, integer } from '../formats.js';
import { optionalPath, storeUrl } from '../places.js';
import { group, leaf, secret } from '../schema.js';
import { CONTRACT, ESTIMATE } from './shared.js';

export const database = group('The store of state and decisions.', {
  ...secret('postgres_url', {
    format: storeUrl(['embedded', 'postgres', 'postgresql']),
    default: 'embedded:///var/lib/sentinel/pg',
    doc: 'postgres://USER:PASSWORD@HOST/DATABASE, or embedded://DIR for a PostgreSQL that the engine runs itself in that folder.',
    source: CONTRACT,
  }),
  max_connections: leaf({ format: integer(1, 1000), default: 20, doc: 'Connections at most.', source: CONTRACT }),
  connect_timeout_ms: leaf({
    format: integer(100, 600_000),
    default: 5000,
    unit: 'ms',
    doc: 'A connection that is not made by then has failed; it is tried again.',
    source: CONTRACT,
  }),
  sslmode: leaf({
    format: choice('disable', 'require', 'verify-ca', 'verify-full'),
    default: 'verify-full',
    doc: 'TLS towards a PostgreSQL server; an embedded one is reached through a local socket or loopback.',
    source: 'secure default; the meaning is that of libpq',
  }),
  ca_file: leaf({
    format: optionalPath,
    default: '',
    doc: 'Authorities that the server is checked against, PEM; "" = those of the system.',
    source: CONTRACT,
    readable: 'always',
  }),
  retention: group('How long what only grows is kept. What decisions need is in the state of each device, and stays.', {
    log_days: leaf({
      format: integer(1, 36_500),
      default: 90,
      unit: 'days',
      doc: 'A replay can begin at least so far back, and at most twice as far; records from before are given up.',
      source: 'below half of history.retention_days, which a replay needs too',
      reloadable: true,
    }),
    observations_days: leaf({
      format: integer(1, 36_500),
      default: 365,
      unit: 'days',
      doc: 'Wrong results, each with its operands and bits, as explanations show them.',
      source: ESTIMATE,
      reloadable: true,
    }),
    transitions_days: leaf({
      format: integer(30, 36_500),
      default: 3650,
      unit: 'days',
      doc: 'Changes of state of a device, as its history shows them. The audit ledger keeps its own.',
      source: ESTIMATE,
      reloadable: true,
    }),
  }),
});

export const history = group('The store of every run.', {
  url: leaf({
    format: storeUrl(['file']),
    default: 'file:///var/lib/sentinel/history',
    doc: 'file://DIR, a folder of segment files; used while scylla.contact_points is empty.',
    source: ESTIMATE,
  }),
  retention_days: leaf({
    format: integer(1, 7300),
    default: 365,
    unit: 'days',
    doc: 'How long a cluster (scylla.contact_points) keeps a record. Segment files stay until somebody removes them. A replay reaches back no further.',
    source: 'the budget of storage is that of a year',
  }),
});

export const directiveLog = group(
  'What orchestrators are told: quarantines, cordons and their ends, streamed from a log.',
  {
    retention_days: leaf({
      format: integer(1, 36_500),
      default: 90,
      unit: 'days',
      doc: 'How long a directive is kept for an orchestrator that was away; a cursor from before is refused.',
      source: ESTIMATE,
      reloadable: true,
    }),
    slow_consumer_seconds: leaf({
      format: integer(1, 3600),
      default: 30,
      unit: 's',
      doc: 'An orchestrator that leaves its stream unread for so long is disconnected; it goes on from its cursor.',
      source: ESTIMATE,
      reloadable: true,
    }),
  },
);

export const redis = group(
  'Live updates and cached states, shared by the engines of one fleet. Nothing waits for it: without it decisions go on.',
  {
    ...secret('url', {
      format: storeUrl(['memory', 'redis', 'rediss']),
      default: 'memory://',
      doc: 'redis://:PASSWORD@HOST:6379, rediss:// for TLS, or memory:// inside a single engine. A server lets several engines share the database: one decides, the others take over.',
      source: CONTRACT,
    }),
    pool_size: leaf({
      format: integer(1, 1000),
      default: 10,
      doc: 'Connections at most. The engine uses two, one to write and one to listen; with 1 it hears nothing of other engines.',
      source: CONTRACT,
    }),
    ca_file: leaf({
      format: optionalPath,
      default: '',
      doc: 'Authorities that a rediss:// server is checked against, PEM; "" = those of the system.',
      source: CONTRACT,
      readable: 'always',
    }),
  },
);
