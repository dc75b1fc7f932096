import { hostname } from 'node:os';
import { formatAddress, parseAddress } from '@sentinel/service-kit/address';
import type { Role, Tokens } from '@sentinel/service-kit/auth';
import type { CorrelationEngineConfig, LoadedConfig } from '@sentinel/service-kit/config';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { type GrpcServer, type ServiceEntry, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import { Link } from './link.js';

const SECTION = 'correlation_engine';
const EVERY_INTERFACE: readonly string[] = ['0.0.0.0', '::'];
/** Above everything that clients may send and are answered. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface LinkServerParts {
  readonly loaded: LoadedConfig<'correlation_engine'>;
  readonly tokens: Tokens;
  readonly services: readonly ServiceEntry[];
  readonly log: Logger;
  readonly onRefused: (error: SentinelError) => void;
}

/**
 * The port by which other replicas reach this one. With mutual TLS a peer has to show the engine's own certificate, without it the
 * service token: nobody else may say for whom a call is made.
 */
export function startLinkServer({ loaded, tokens, services, log, onRefused }: LinkServerParts): Promise<GrpcServer> {
  const { config } = loaded;
  return startGrpcServer({
    address: config.replica.listen_address,
    addressKey: `${SECTION}.replica.listen_address`,
    tls: config.tls.enabled ? { ...tlsFiles(config), mutual: config.tls.mutual_tls } : null,
    insecure: loaded.insecure,
    tokens,
    services,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log,
    onRefused,
    carriers: [carrierRole(config)],
  });
}

/** The way from here to the replica at `address`. Whichever replica it is, its certificate is the engine's. */
export function linkTo(address: string, config: CorrelationEngineConfig): Link {
  return new Link({
    address,
    tls: config.tls.enabled ? { ...tlsFiles(config), serverName: '', serverRole: 'engine' } : null,
    token: carrierRole(config) === 'service' ? config.service_token : '',
    maxMessageBytes: MAX_MESSAGE_BYTES,
  });
}

function carrierRole({ tls }: CorrelationEngineConfig): Role {
  return tls.enabled && tls.mutual_tls ? 'engine' : 'service';
}

function tlsFiles({ tls }: CorrelationEngineConfig) {
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  return { files, keyPrefix: `${SECTION}.tls` };
}

/** What the others are told. @param listening host:port that is listened on */
export function advertised({ replica }: CorrelationEngineConfig, listening: string): string {
  if (replica.advertise_address !== '') return replica.advertise_address;
  const { host, port } = parseAddress(listening);
  return EVERY_INTERFACE.includes(host) ? formatAddress({ host: hostname(), port }) : listening;
}
