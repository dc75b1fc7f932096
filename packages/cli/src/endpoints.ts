import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { ConfigurationError } from './failure.js';

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
 * Reads the endpoints of the installation in `dataDir`; relative paths in the file are below `dataDir`.
 * @throws SentinelError UNAVAILABLE when nothing was ever started there, ConfigurationError when the file is not what it should be.
 */
export function readEndpoints(dataDir: string): Endpoints {
  const file = join(dataDir, ENDPOINTS_FILE);
  const endpoints = parse(read(file), file);
  const { tls, operatorTokenPath, verifierKeyPath } = endpoints;
  const at = (path: string): string => resolve(dataDir, path);
  return {
    ...endpoints,
    ...(tls === undefined
      ? {}
      : { tls: { ...tls, caFile: at(tls.caFile), certFile: at(tls.certFile), keyFile: at(tls.keyFile) } }),
    ...(operatorTokenPath === undefined ? {} : { operatorTokenPath: at(operatorTokenPath) }),
    ...(verifierKeyPath === undefined ? {} : { verifierKeyPath: at(verifierKeyPath) }),
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const denied = (cause as NodeJS.ErrnoException).code === 'EACCES';
    throw new SentinelError({
      code: denied ? 'PERMISSION_DENIED' : 'UNAVAILABLE',
      message: denied ? `${file} may not be read` : `nothing was started here yet: there is no ${file}`,
      hint: denied
        ? 'Run as the user that ran npm start.'
        : 'Run npm start first, name its data folder with --data, or the services with --engine and --ledger.',
      cause,
    });
  }
}

function parse(text: string, file: string): Endpoints {
  try {
    const found = JSON.parse(text) as Partial<Endpoints> | null;
    if (isService(found?.engine) && isService(found?.ledger)) return found as Endpoints;
  } catch {
    // Said below, like everything else that may be wrong with it.
  }
  throw new ConfigurationError({
    code: 'FAILED_PRECONDITION',
    message: `${file} is not a list of endpoints`,
    hint: 'Remove it and run npm start, which writes it.',
  });
}

function isService(found: Partial<ServiceEndpoint> | undefined): boolean {
  return typeof found?.grpc === 'string' && typeof found.http === 'string';
}
