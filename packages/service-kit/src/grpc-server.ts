import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  setLogger,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { formatAddress, isLoopback, parseAddress, parseListenAddress } from './address.js';
import type { Role, Tokens } from './auth.js';
import { SentinelError } from './errors.js';
import { type AllowedRoles, type AuthorisationTable, identityInterceptor, methodName } from './grpc-call.js';
import type { Logger } from './logging.js';
import { ReloadingServerCredentials, type TlsFiles } from './tls.js';

export { type AllowedRoles, connectionOf, failStream, identityOf, unary } from './grpc-call.js';

/** A peer that answers no ping for this long is gone. */
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Streams and calls that one connection may have open at once. */
const MAX_STREAMS_PER_CONNECTION = 64;
/** Of a port for other replicas, which carry the calls of all who are connected to them. */
const MAX_CARRIED_STREAMS_PER_CONNECTION = 65_536;
/** Connections are renewed after this time, so that agents spread over replicas and certificates take effect. */
const MAX_CONNECTION_AGE_MS = 6 * 3_600_000;
const MAX_CONNECTION_AGE_GRACE_MS = 30_000;
/** How long calls under way may take to end once the server drains. */
const DRAIN_DEADLINE_MS = 2_000;

export interface ServiceEntry {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** By method name as in the proto file; every method must have its entry. */
  readonly roles: Readonly<Record<string, AllowedRoles>>;
}

export interface ServerTls {
  readonly files: TlsFiles;
  /** Configuration section of the files, for errors. */
  readonly keyPrefix: string;
  /** Clients must have a certificate of the same authority. */
  readonly mutual: boolean;
  readonly reloadIntervalMs?: number;
}

export interface GrpcServerOptions {
  /** host:port, where port 0 takes a free one; or unix:PATH, which processes of this machine alone can reach. */
  readonly address: string;
  /** Configuration key of the address, named in errors. */
  readonly addressKey: string;
  /** null = plaintext. */
  readonly tls: ServerTls | null;
  /** Plaintext beyond loopback. */
  readonly insecure: boolean;
  readonly tokens: Tokens;
  readonly services: readonly ServiceEntry[];
  /** Larger requests are refused. */
  readonly maxMessageBytes: number;
  readonly log: Logger;
  /** Called for each refused call, for a counter. */
  readonly onRefused?: (error: SentinelError) => void;
  /**
   * Makes it a port for other replicas: peers of these roles alone may call, and are believed about who makes the calls that they
   * carry (see carried-caller.ts). Everywhere else what a peer says of others is not even read.
   */
  readonly carriers?: readonly Role[];
}

export interface GrpcServer {
  /** host:port, or unix:PATH, that is listened on. */
  readonly address: string;
  /** Answer of grpc.health.v1.Health for the empty name and for every service. */
  setServing(serving: boolean): void;
  /** From now on these handlers answer new calls of the same methods; calls under way keep theirs. */
  handleBy(services: readonly ServiceEntry[]): void;
  /** Refuses new calls, lets those under way end, then cuts the rest. End long-lived streams before. */
  stop(): Promise<void>;
}

/**
 * Binds and serves: identity, authorisation, health, reflection, limits.
 * @throws SentinelError UNAVAILABLE when the port is taken; FAILED_PRECONDITION when plaintext would leave loopback; INTERNAL when a method has no authorisation entry
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const local = options.address.startsWith('unix:');
  const { host } = parseAddress(options.address);
  if (options.tls === null && !options.insecure && !local && !isLoopback(host)) throw plaintextError(options);
  const roles = authorisationTable(options.services);
  routeLibraryLog(options.log);
  const server = new Server(serverOptions(options, roles));
  const add = (services: readonly ServiceEntry[]): void => {
    for (const { definition, implementation } of services) server.addService(definition, implementation);
  };
  add(options.services);
  const names = options.services.map(({ definition }) => serviceName(definition));
  const health = new HealthImplementation(Object.fromEntries(['', ...names].map((name) => [name, 'NOT_SERVING'])));
  health.addToServer(server);
  addReflection(server, names);
  const credentials =
    options.tls === null ? null : new ReloadingServerCredentials({ ...options.tls, log: options.log });
  const port = await bind(server, options, credentials ?? ServerCredentials.createInsecure());
  const setServing = (serving: boolean): void => {
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  setServing(true);
  return {
    address: local ? options.address : formatAddress({ host, port }),
    setServing,
    handleBy: (services) => {
      for (const { definition } of services) server.removeService(definition);
      add(services);
    },
    stop: async () => {
      setServing(false);
      credentials?.close();
      await shutDown(server);
    },
  };
}

/** What grpc-js would print on standard error says nothing that a status does not say: it is for whoever debugs. */
function routeLibraryLog(log: Logger): void {
  const write = (...parts: unknown[]): void => log.debug({ from: 'grpc-js' }, parts.map(String).join(' '));
  setLogger({ error: write, info: write, debug: write });
}

function serverOptions(options: GrpcServerOptions, roles: AuthorisationTable): ServerOptions {
  const { tokens, maxMessageBytes, carriers } = options;
  const age = {
    'grpc.max_connection_age_ms': MAX_CONNECTION_AGE_MS,
    'grpc.max_connection_age_grace_ms': MAX_CONNECTION_AGE_GRACE_MS,
  };
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_concurrent_streams':
      carriers === undefined ? MAX_STREAMS_PER_CONNECTION : MAX_CARRIED_STREAMS_PER_CONNECTION,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    ...(carriers === undefined ? age : {}),
    interceptors: [
      identityInterceptor({
        roles,
        tokens,
        maxMessageBytes,
        carriers,
        onRefused: (error) => options.onRefused?.(error),
      }),
    ],
  };
}

function authorisationTable(services: readonly ServiceEntry[]): AuthorisationTable {
  const table = new Map<string, AllowedRoles>();
  for (const { definition, implementation, roles } of services) {
    for (const [key, { path }] of Object.entries(definition)) {
      const allowed = roles[methodName(path)];
      if (allowed === undefined || implementation[key] === undefined) {
        const lack = allowed === undefined ? 'authorisation entry' : 'implementation';
        throw new SentinelError({
          code: 'INTERNAL',
          message: `${path} has no ${lack}`,
          field: methodName(path),
        });
      }
      table.set(path, allowed);
    }
  }
  return table;
}

function serviceName(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? '';
}

/** Lists what this port serves, not what the other services of the product do. */
function addReflection(server: Server, services: string[]): void {
  const descriptors = readFileSync(fileURLToPath(import.meta.resolve('@sentinel/contracts/descriptor.binpb')));
  new ReflectionService(loadFileDescriptorSetFromBuffer(descriptors), { services }).addToServer(server);
}

function bind(server: Server, options: GrpcServerOptions, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(normalised(options.address), credentials, (cause, port) => {
      if (cause === null) return resolve(port);
      const taken = /EADDRINUSE/.test(cause.message);
      reject(
        new SentinelError({
          code: 'UNAVAILABLE',
          message: `gRPC cannot listen on ${options.address} (${taken ? 'another process has the port' : cause.message})`,
          field: options.addressKey,
          hint: `Stop the other process, or set ${options.addressKey} to a free address.`,
          cause,
        }),
      );
    });
  });
}

function normalised(address: string): string {
  return address.startsWith('unix:') ? address : formatAddress(parseListenAddress(address));
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // tryShutdown alone never returns while a stream lives.
    const force = setTimeout(() => server.forceShutdown(), DRAIN_DEADLINE_MS);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

function plaintextError(options: GrpcServerOptions): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `plaintext on ${options.address} would be reachable from other machines`,
    field: options.addressKey,
    hint: `Set tls.enabled to true, ${options.addressKey} to 127.0.0.1:PORT, or pass --insecure.`,
  });
}
