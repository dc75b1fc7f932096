import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerOptions,
  type ServiceDefinition,
  status as Status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { formatAddress, isLoopback, parseAddress } from './address.js';
import { ANONYMOUS, certificateIdentity, type Identity, type Role, type Tokens, tokenIdentity } from './auth.js';
import { ERROR_TRAILER, SentinelError } from './errors.js';
import type { Logger } from './logging.js';
import { ReloadingServerCredentials, type TlsFiles } from './tls.js';

/** A peer that answers no ping for this long is gone. */
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Streams and calls that one connection may have open at once. */
const MAX_STREAMS_PER_CONNECTION = 64;
/** Connections are renewed after this time, so that agents spread over replicas and certificates take effect. */
const MAX_CONNECTION_AGE_MS = 6 * 3_600_000;
const MAX_CONNECTION_AGE_GRACE_MS = 30_000;
/** How long calls under way may take to end once the server drains. */
const DRAIN_DEADLINE_MS = 2_000;

/** Methods that anyone who can connect may call: with mutual TLS that is whoever has a certificate of our authority. */
export type AllowedRoles = 'anyone' | readonly Role[];

export interface ServiceEntry {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** By method name as in the proto file; every method must have its entry. */
  readonly roles: Readonly<Record<string, AllowedRoles>>;
}

export interface GrpcServerOptions {
  /** host:port; port 0 takes a free one. */
  readonly address: string;
  /** Configuration key of the address, named in errors. */
  readonly addressKey: string;
  /** null = plaintext. */
  readonly tls: { readonly files: TlsFiles; readonly keyPrefix: string; readonly mutual: boolean } | null;
  /** Plaintext beyond loopback. */
  readonly insecure: boolean;
  readonly tokens: Tokens;
  readonly services: readonly ServiceEntry[];
  readonly maxMessageBytes: number;
  readonly log: Logger;
  /** Called for each refused call, for a counter. */
  readonly onRefused?: (error: SentinelError) => void;
}

export interface GrpcServer {
  /** host:port that is listened on. */
  readonly address: string;
  /** Answer of grpc.health.v1.Health for the empty name and for every service. */
  setServing(serving: boolean): void;
  /** Refuses new calls, lets those under way end, then cuts the rest. End long-lived streams before. */
  stop(): Promise<void>;
}

/**
 * Binds and serves: identity, authorisation, health, reflection, limits.
 * @throws SentinelError UNAVAILABLE when the port is taken; FAILED_PRECONDITION when a method has no authorisation entry or plaintext would leave loopback
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const wanted = parseAddress(options.address);
  if (options.tls === null && !options.insecure && !isLoopback(wanted.host)) throw plaintextError(options);
  const roles = authorisationTable(options.services);
  const server = new Server(serverOptions(options, roles));
  for (const { definition, implementation } of options.services) server.addService(definition, implementation);
  const names = options.services.map(({ definition }) => serviceName(definition));
  const health = new HealthImplementation(Object.fromEntries(['', ...names].map((name) => [name, 'NOT_SERVING'])));
  health.addToServer(server);
  addReflection(server);
  const credentials =
    options.tls === null
      ? null
      : new ReloadingServerCredentials(options.tls.files, options.tls.keyPrefix, options.tls.mutual, options.log);
  const port = await bind(server, options, credentials ?? ServerCredentials.createInsecure());
  const setServing = (serving: boolean): void => {
    for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  setServing(true);
  return {
    address: formatAddress({ host: wanted.host, port }),
    setServing,
    stop: async () => {
      setServing(false);
      credentials?.close();
      await shutDown(server);
    },
  };
}

function serverOptions(options: GrpcServerOptions, roles: AuthorisationTable): ServerOptions {
  return {
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': options.maxMessageBytes,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_connection_age_ms': MAX_CONNECTION_AGE_MS,
    'grpc.max_connection_age_grace_ms': MAX_CONNECTION_AGE_GRACE_MS,
    interceptors: [identityInterceptor(options, roles)],
  };
}

/** Allowed roles by full method path. */
type AuthorisationTable = ReadonlyMap<string, AllowedRoles>;

function authorisationTable(services: readonly ServiceEntry[]): AuthorisationTable {
  const table = new Map<string, AllowedRoles>();
  for (const { definition, implementation, roles } of services) {
    for (const [key, { path }] of Object.entries(definition)) {
      const allowed = roles[methodName(path)];
      if (allowed === undefined || implementation[key] === undefined) {
        const lack = allowed === undefined ? 'authorisation entry' : 'implementation';
        throw new SentinelError({
          code: 'FAILED_PRECONDITION',
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

function methodName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function addReflection(server: Server): void {
  const descriptors = readFileSync(fileURLToPath(import.meta.resolve('@sentinel/contracts/descriptor.binpb')));
  new ReflectionService(loadFileDescriptorSetFromBuffer(descriptors)).addToServer(server);
}

function bind(server: Server, options: GrpcServerOptions, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatAddress(parseAddress(options.address)), credentials, (cause, port) => {
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

// Identity and authorisation

const IDENTITIES = new WeakMap<Metadata, Identity>();
const CONNECTIONS = new WeakMap<Metadata, string>();

/** Who makes a call, as established before its handler ran. */
export function identityOf(call: { readonly metadata: Metadata }): Identity {
  return IDENTITIES.get(call.metadata) ?? ANONYMOUS;
}

/** Names the connection that a call came by: both its ends, which no other connection has while this one lives. */
export function connectionOf(call: { readonly metadata: Metadata }): string {
  return CONNECTIONS.get(call.metadata) ?? '';
}

function identityInterceptor(options: GrpcServerOptions, roles: AuthorisationTable): ServerInterceptor {
  return (method, call) => {
    explainTransportRefusals(call, options);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const { remoteAddress, remotePort, localAddress, localPort } = call.getConnectionInfo();
            CONNECTIONS.set(metadata, `${remoteAddress}:${remotePort}>${localAddress}:${localPort}`);
            const refusal = authorise(method.path, roles.get(method.path) ?? 'anyone', call, metadata, options.tokens);
            if (refusal === null) return proceed(metadata);
            options.onRefused?.(refusal);
            call.sendStatus(refusal.toServiceError());
          },
        }),
    });
  };
}

/**
 * A message above the limit is refused below every interceptor, with a bare status: it gets its detail, and is counted, where that
 * status leaves.
 */
function explainTransportRefusals(call: ServerInterceptingCallInterface, options: GrpcServerOptions): void {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    if (status.code !== Status.RESOURCE_EXHAUSTED || (status.metadata?.get(ERROR_TRAILER).length ?? 0) > 0)
      return send(status);
    const error = new SentinelError({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'TOO_LARGE',
      message: status.details ?? 'the message is too large',
      hint: `Send messages of at most ${options.maxMessageBytes} bytes.`,
    });
    options.onRefused?.(error);
    send(error.toServiceError());
  };
}

function authorise(
  path: string,
  allowed: AllowedRoles,
  call: ServerInterceptingCallInterface,
  metadata: Metadata,
  tokens: Tokens,
): SentinelError | null {
  const identity = identify(call, metadata, tokens);
  if (identity === null) {
    return new SentinelError({
      code: 'UNAUTHENTICATED',
      reason: 'CREDENTIALS_INVALID',
      message: 'the bearer token is not one of this installation',
      hint: 'Use the token in the secrets folder of the data folder.',
    });
  }
  IDENTITIES.set(metadata, identity);
  if (allowed === 'anyone' || allowed.includes(identity.role)) return null;
  return refuse(path, identity, allowed);
}

function identify(call: ServerInterceptingCallInterface, metadata: Metadata, tokens: Tokens): Identity | null {
  const [authorization] = metadata.get('authorization');
  if (authorization !== undefined) return tokenIdentity(String(authorization), tokens);
  const certificate = call.getAuthContext().sslPeerCertificate;
  return certificate?.subject === undefined ? ANONYMOUS : certificateIdentity(certificate);
}

function refuse(path: string, identity: Identity, allowed: readonly Role[]): SentinelError {
  const needed = `${methodName(path)} is for ${allowed.join(', ')}`;
  if (identity.role === 'anonymous') {
    return new SentinelError({
      code: 'UNAUTHENTICATED',
      reason: 'CREDENTIALS_MISSING',
      message: `${needed}; the caller showed no identity`,
      hint: 'Present a bearer token or a client certificate of that role.',
    });
  }
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    message: `${needed}; the caller is ${identity.role} (${identity.subject})`,
  });
}

/** Adapts an async function to a unary handler; whatever it throws becomes a status with ErrorDetail. */
export function unary<Request, Response>(
  handler: (request: Request, identity: Identity) => Promise<Response> | Response,
  log: Logger,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request, identityOf(call)))
      .then(
        (response) => callback(null, response),
        (thrown: unknown) => callback(publicError(thrown, log).toServiceError()),
      );
  };
}

/** Ends a stream with the status of `thrown`. */
export function failStream(
  call: { emit(event: 'error', error: unknown): boolean },
  thrown: unknown,
  log: Logger,
): void {
  call.emit('error', publicError(thrown, log).toServiceError());
}

/** Errors that nobody foresaw are logged whole and told to the caller without their content. */
function publicError(thrown: unknown, log: Logger): SentinelError {
  if (thrown instanceof SentinelError) return thrown;
  log.error({ err: thrown }, 'unexpected error in a call');
  return new SentinelError({
    code: 'INTERNAL',
    message: 'internal error',
    hint: 'See the log of the service.',
    cause: thrown,
  });
}
