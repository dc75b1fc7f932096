import { readFileSync } from 'node:fs';
import { Backoff } from '@sentinel/service-kit/backoff';
import { SentinelError } from '@sentinel/service-kit/errors';
import { Redis } from 'ioredis';
import { BUS_TIMEOUT_MS } from '../bus.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

export interface RedisOptions {
  /** redis:// or rediss:// with password and number of the database. */
  readonly url: string;
  /** Authorities that the server is checked against, PEM; '' = those of the system. */
  readonly caFile: string;
}

/**
 * A connection that comes back by itself for ever. Commands are refused at once while it is away, and none is sent twice.
 * @throws SentinelError FAILED_PRECONDITION when the file of authorities cannot be read
 */
export function redisClient({ url, caFile }: RedisOptions, connectionName: string): Redis {
  const backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  const ca = caFile === '' ? {} : { ca: authorities(caFile) };
  const client = new Redis(url, {
    connectionName,
    ...(url.startsWith('rediss:') ? { tls: ca } : {}),
    connectTimeout: BUS_TIMEOUT_MS,
    commandTimeout: BUS_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => backoff.nextMs(),
  });
  return client.on('ready', () => backoff.reset());
}

/** Ends it for ever. */
export function endClient(client: Redis): void {
  // The driver listens for one error of a connection. One that is ended within a handshake with a stranger has two: the stranger's
  // certificate, and the stranger's complaint that the handshake was not finished.
  client.stream?.on('error', () => {});
  client.disconnect();
}

function authorities(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `${file} cannot be read`;
    throw new SentinelError({ code: 'FAILED_PRECONDITION', message, field: 'correlation_engine.redis.ca_file', cause });
  }
}
