import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';

/** Where the services of an installation are, and how a client proves who it is. Written by the supervisor, read by the command line. */
export interface Endpoints {
  readonly engine: ServiceEndpoint;
  readonly ledger: ServiceEndpoint;
  /** Absent = plaintext. */
  readonly tls?: ClientTls;
  /** File with the operator's bearer token. */
  readonly operatorTokenPath?: string;
  /** File with the ledger's note verifier key, pinned at first use. */
  readonly verifierKeyPath?: string;
}

export interface ServiceEndpoint {
  /** host:port */
  readonly grpc: string;
  /** host:port */
  readonly http: string;
}

export interface ClientTls {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly serverName?: string;
}

/** Inside a data folder. */
export const ENDPOINTS_FILE = 'run/endpoints.json';

/**
 * Reads the endpoints of the installation in `dataDir`.
 * @throws SentinelError UNAVAILABLE when nothing was ever started there.
 */
export function readEndpoints(dataDir: string): Endpoints {
  const file = join(dataDir, ENDPOINTS_FILE);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
  } catch (cause) {
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `cannot read ${file}`,
      hint: 'Run npm start first, or name the services with --engine and --ledger (or their data folder with --data).',
      cause,
    });
  }
}
