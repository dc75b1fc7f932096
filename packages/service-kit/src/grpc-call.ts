import {
  type handleUnaryCall,
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status as Status,
} from '@grpc/grpc-js';
import { ANONYMOUS, callerIdentity, certificateIdentity, type Identity, type Role, type Tokens } from './auth.js';
import { CALLER_HEADER, type CarriedCaller, decodeCaller } from './carried-caller.js';
import { ERROR_TRAILER, SentinelError } from './errors.js';
import type { Logger } from './logging.js';

/** Methods that anyone who can connect may call: with mutual TLS that is whoever has a certificate of our authority. */
export type AllowedRoles = 'anyone' | readonly Role[];

/** Allowed roles by full method path. */
export type AuthorisationTable = ReadonlyMap<string, AllowedRoles>;

type Refusal = (error: SentinelError) => void;

/** What a call must pass before its handler sees it. */
export interface Admission {
  readonly roles: AuthorisationTable;
  readonly tokens: Tokens;
  readonly maxMessageBytes: number;
  /** Called for each refused call, for a counter. */
  readonly onRefused: Refusal;
  /** Who is believed about who makes the calls that they carry, and who alone may call. undefined = nobody: callers speak for themselves. */
  readonly carriers?: readonly Role[] | undefined;
}

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

/** Establishes who calls and refuses who may not. */
export function identityInterceptor(admission: Admission): ServerInterceptor {
  const { maxMessageBytes, onRefused } = admission;
  return (method, call) => {
    explainTransportRefusals(call, maxMessageBytes, onRefused);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const { remoteAddress, remotePort, localAddress, localPort } = call.getConnectionInfo();
            CONNECTIONS.set(metadata, `${remoteAddress}:${remotePort}>${localAddress}:${localPort}`);
            const refusal = authorise(method.path, call, metadata, admission);
            if (refusal === null) return proceed(metadata);
            onRefused(refusal);
            call.sendStatus(refusal.toServiceError());
          },
        }),
    });
  };
}

/**
 * grpc-js refuses a message that is too large, or that it cannot decode, below every interceptor and with a bare status: such a
 * refusal gets its detail, and is counted, where it leaves.
 */
function explainTransportRefusals(
  call: ServerInterceptingCallInterface,
  maxMessageBytes: number,
  onRefused: Refusal,
): void {
  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    const error = explained(status, maxMessageBytes);
    if (error === null) return send(status);
    onRefused(error);
    send(error.toServiceError());
  };
}

function explained(
  status: Parameters<ServerInterceptingCallInterface['sendStatus']>[0],
  maxMessageBytes: number,
): SentinelError | null {
  if ((status.metadata?.get(ERROR_TRAILER).length ?? 0) > 0) return null;
  const details = status.details ?? '';
  if (status.code === Status.RESOURCE_EXHAUSTED) {
    return new SentinelError({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'TOO_LARGE',
      message: details,
      hint: `Send messages of at most ${maxMessageBytes} bytes.`,
    });
  }
  if (status.code !== Status.INTERNAL || !/deserializing request|decompress/.test(details)) return null;
  return new SentinelError({
    code: 'INVALID_ARGUMENT',
    reason: 'MALFORMED',
    message: 'the message is not what its protocol buffer definition says',
    hint: 'Use the definitions of this version.',
  });
}

function authorise(
  path: string,
  call: ServerInterceptingCallInterface,
  metadata: Metadata,
  { roles, tokens, carriers }: Admission,
): SentinelError | null {
  const peer = identify(call, metadata, tokens);
  if (peer === null) {
    return new SentinelError({
      code: 'UNAUTHENTICATED',
      reason: 'CREDENTIALS_INVALID',
      message: 'the bearer token is not one of this installation',
      hint: 'Use the token in the secrets folder of the data folder.',
    });
  }
  const allowed = roles.get(path);
  // Health and reflection: whoever can connect.
  if (allowed === undefined) return null;
  let identity = peer;
  if (carriers !== undefined) {
    if (!carriers.includes(peer.role)) return refuse(path, peer, carriers);
    const carried = carriedCaller(metadata);
    if (carried === null) return unknownCaller();
    identity = carried.identity;
    CONNECTIONS.set(metadata, carried.connection);
  }
  IDENTITIES.set(metadata, identity);
  if (allowed === 'anyone' || allowed.includes(identity.role)) return null;
  return refuse(path, identity, allowed);
}

function carriedCaller(metadata: Metadata): CarriedCaller | null {
  const [bytes] = metadata.get(CALLER_HEADER);
  return Buffer.isBuffer(bytes) ? decodeCaller(bytes) : null;
}

function unknownCaller(): SentinelError {
  return new SentinelError({
    code: 'UNAUTHENTICATED',
    reason: 'CREDENTIALS_MISSING',
    message: 'the call does not say for whom it is carried',
    field: CALLER_HEADER,
    hint: 'This port is for other replicas: use the port that clients use.',
  });
}

function identify(call: ServerInterceptingCallInterface, metadata: Metadata, tokens: Tokens): Identity | null {
  const [authorization] = metadata.get('authorization');
  const certificate = call.getAuthContext().sslPeerCertificate;
  const peer = certificate?.subject === undefined ? ANONYMOUS : certificateIdentity(certificate);
  return callerIdentity(peer, authorization === undefined ? undefined : String(authorization), tokens);
}

/** As in the proto file. */
export function methodName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
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
