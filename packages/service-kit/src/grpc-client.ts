import {
  type CallOptions,
  ChannelCredentials,
  type Client,
  type ClientUnaryCall,
  type ClientOptions as GrpcClientOptions,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
  type VerifyOptions,
} from '@grpc/grpc-js';
import { certificateIdentity, type Role } from './auth.js';
import { SentinelError } from './errors.js';
import { channelCredentials, type TlsFiles } from './tls.js';

const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const FIRST_RECONNECT_MS = 200;
const LAST_RECONNECT_MS = 5_000;
export const DEFAULT_DEADLINE_MS = 10_000;
export const DEFAULT_MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

export interface ClientTls {
  readonly files: TlsFiles;
  readonly keyPrefix: string;
  /** Name to expect in the server's certificate; '' = the host of the address. */
  readonly serverName: string;
  /** Role that the server's certificate must prove, in place of a name: whichever instance answers at the address. */
  readonly serverRole?: Role;
}

export interface ClientConnection {
  /** host:port */
  readonly address: string;
  /** null = plaintext. */
  readonly tls: ClientTls | null;
  /** Bearer token; empty = none. */
  readonly token: string;
  readonly maxMessageBytes?: number;
}

/** A ts-proto client class. */
export type ClientClass<T extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<GrpcClientOptions>,
) => T;

/**
 * A client on a channel of its own. Clients that must share one HTTP/2 connection take `channelOverride: first.getChannel()`.
 * A renewed certificate is taken up by the next client made.
 */
export function createClient<T extends Client>(
  clientClass: ClientClass<T>,
  to: ClientConnection,
  options: Partial<GrpcClientOptions> = {},
): T {
  const credentials =
    to.tls === null
      ? ChannelCredentials.createInsecure()
      : channelCredentials(to.tls.files, to.tls.keyPrefix, serverCheck(to.tls));
  const maxMessageBytes = to.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  return new clientClass(to.address, credentials, {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': FIRST_RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': LAST_RECONNECT_MS,
    // Each client its own connection: an agent's identity is bound to it.
    'grpc.use_local_subchannel_pool': 1,
    ...(to.tls === null || to.tls.serverName === ''
      ? {}
      : { 'grpc.ssl_target_name_override': to.tls.serverName, 'grpc.default_authority': to.tls.serverName }),
    ...(to.token === '' ? {} : { interceptors: [bearer(to.token)] }),
    ...options,
  });
}

function serverCheck({ serverRole }: ClientTls): VerifyOptions {
  if (serverRole === undefined) return {};
  return {
    checkServerIdentity: (host, certificate) => {
      const { role, subject } = certificateIdentity(certificate);
      return role === serverRole
        ? undefined
        : new Error(`${host} showed the certificate of ${subject}, not of ${serverRole}`);
    },
  };
}

function bearer(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/**
 * Makes a unary call with a deadline.
 * @throws SentinelError with the server's ErrorDetail
 */
export function callUnary<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
  deadlineMs = DEFAULT_DEADLINE_MS,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method.call(client, request, new Metadata(), { deadline: Date.now() + deadlineMs }, (error, response) => {
      if (error === null) resolve(response);
      else reject(SentinelError.from(error));
    });
  });
}
