import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientOptions, policies, types } from 'cassandra-driver';
import type { CorrelationEngineConfig } from '../config/index.js';
import { clientOf, closeCql } from './client.js';
import { cqlError, isMissing } from './errors.js';

/** The keys of a Scylla or Cassandra cluster, as every section has them. */
export type CqlConfig = CorrelationEngineConfig['scylla'];

/** All nodes have to agree on a change of the schema: a busy cluster takes longer than it may for a record. */
export const SCHEMA_TIMEOUT_MS = 30_000;
const FIRST_RECONNECT_MS = 250;
const LAST_RECONNECT_MS = 10_000;
const SCHEMA_AGREEMENT_S = 30;
const AGREEMENT_POLL_MS = 200;

/**
 * Connects to the keyspace. Statements are confirmed by the configured write consistency where they ask for no other.
 * @param section whose settings these are, for errors
 * @throws SentinelError UNAVAILABLE, or FAILED_PRECONDITION naming the key to correct
 */
export async function connectCql(config: CqlConfig, section: string): Promise<Client> {
  const client = clientOf({ ...clientOptions(config), keyspace: config.keyspace });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await closeCql(client);
    throw cqlError(error, section);
  }
}

/**
 * Waits until all nodes have the same schema; for no longer than they may take. The driver does so itself after a change, but not where
 * another instance was faster and there was nothing left to change.
 */
export async function schemaAgreed(client: Client): Promise<void> {
  // Documented by the driver (4.10), and not in its types.
  const metadata = client.metadata as unknown as { checkSchemaAgreement(): Promise<boolean> };
  const end = performance.now() + SCHEMA_AGREEMENT_S * 1000;
  while (!(await metadata.checkSchemaAgreement()) && performance.now() < end) await sleep(AGREEMENT_POLL_MS);
}

/** Makes the keyspace where there is none. @throws SentinelError as `connectCql` */
export async function makeKeyspace(config: CqlConfig, section: string): Promise<void> {
  const client = clientOf(clientOptions(config));
  try {
    await client.connect();
    await ensureKeyspace(client, config);
  } catch (error) {
    throw cqlError(error, section);
  } finally {
    await closeCql(client);
  }
}

/** The driver's number of a consistency's name. */
export function consistency(name: CqlConfig['read_consistency']): types.consistencies {
  return CONSISTENCIES[name];
}

/** What sees every write that was confirmed at the write consistency. */
export function consistencyThatSees(name: CqlConfig['write_consistency']): types.consistencies {
  return SEES[name];
}

const { one, localOne, quorum, localQuorum, eachQuorum, all } = types.consistencies;
const CONSISTENCIES = {
  ONE: one,
  LOCAL_ONE: localOne,
  QUORUM: quorum,
  LOCAL_QUORUM: localQuorum,
  EACH_QUORUM: eachQuorum,
  ALL: all,
} as const;
const SEES = {
  ONE: all,
  LOCAL_ONE: all,
  QUORUM: quorum,
  LOCAL_QUORUM: localQuorum,
  EACH_QUORUM: localQuorum,
  ALL: one,
} as const;

function clientOptions(config: CqlConfig): ClientOptions {
  const { username, password, tls, request_timeout_ms: timeoutMs } = config;
  return {
    contactPoints: [...config.contact_points],
    localDataCenter: config.local_datacenter,
    ...(username === '' ? {} : { credentials: { username, password } }),
    ...(tls.enabled ? { sslOptions: tls.ca_file === '' ? {} : { ca: [readFileSync(tls.ca_file)] } } : {}),
    encoding: { useUndefinedAsUnset: true, copyBuffer: true },
    socketOptions: { connectTimeout: timeoutMs, readTimeout: timeoutMs },
    policies: {
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(
        FIRST_RECONNECT_MS,
        LAST_RECONNECT_MS,
        false,
      ),
    },
    protocolOptions: { maxSchemaAgreementWaitSeconds: SCHEMA_AGREEMENT_S },
    queryOptions: { prepare: true, isIdempotent: true, consistency: consistency(config.write_consistency) },
  };
}

/**
 * A keyspace that another instance is making is listed a moment before it can be used, hence it is used; making it waits for the other.
 * Names come from the configuration, whose format admits letters, digits and underscores alone.
 */
async function ensureKeyspace(client: Client, config: CqlConfig): Promise<void> {
  const { keyspace, local_datacenter: dc, replication_factor: copies } = config;
  const plain = { prepare: false, readTimeout: SCHEMA_TIMEOUT_MS };
  try {
    await client.execute(`USE ${keyspace}`, [], plain);
  } catch (error) {
    if (!isMissing(error, keyspace)) throw error;
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${dc.replaceAll("'", "''")}': ${copies}}`,
      [],
      plain,
    );
    await schemaAgreed(client);
  }
}
