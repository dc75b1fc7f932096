import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { ANONYMOUS, certificateIdentity, type Identity } from '@sentinel/service-kit/auth';
import { httpStatus, SentinelError } from '@sentinel/service-kit/errors';
import { checkWebCaller, type GuardOptions } from '@sentinel/service-kit/http-guard';
import { type HttpPort, type HttpPortOptions, openHttpPort, requestUrl } from '@sentinel/service-kit/http-port';
import type { HttpAnswer, HttpRequest, StreamAnswer } from './routes.js';

const MAX_BODY_BYTES = 64 * 1024;

export interface HttpServerOptions extends Omit<HttpPortOptions, 'listener'> {
  readonly guard: GuardOptions;
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer | StreamAnswer>;
  readonly onRefused: (error: SentinelError) => void;
}

/** JSON and streams of events over HTTP. @throws SentinelError UNAVAILABLE when the port is taken */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpPort> {
  const listener: RequestListener = (request, response) => {
    serve(options, request).then(
      (answer) => ('stream' in answer ? answer.stream(response) : reply(request, response, answer)),
      (thrown: unknown) => reply(request, response, failure(options, thrown)),
    );
  };
  return await openHttpPort({ ...options, listener });
}

async function serve(options: HttpServerOptions, request: IncomingMessage): Promise<HttpAnswer | StreamAnswer> {
  checkWebCaller(request.headers, options.guard);
  return options.handle({
    method: request.method ?? '',
    url: requestUrl(request),
    peer: peerOf(request.socket),
    authorization: request.headers.authorization,
    contentType: request.headers['content-type'],
    lastEventId: lastEventId(request),
    body: () => readBody(request),
  });
}

/** @throws SentinelError UNAUTHENTICATED where a certificate is shown that our authority does not vouch for, or not any more */
function peerOf(socket: Socket): Identity {
  if (!(socket instanceof TLSSocket)) return ANONYMOUS;
  const certificate = socket.getPeerCertificate();
  // Without one it is an empty object; `authorized` alone would also be true of a resumed session without one.
  if ((certificate as Partial<PeerCertificate>).subject === undefined) return ANONYMOUS;
  if (socket.authorized) return certificateIdentity(certificate);
  throw new SentinelError({
    code: 'UNAUTHENTICATED',
    reason: 'CREDENTIALS_INVALID',
    message: `the client certificate is refused (${String(socket.authorizationError)})`,
    hint: 'Show a certificate of this installation that is still valid, or none.',
  });
}

/** Its first value where a proxy made two of it. */
function lastEventId({ headers }: IncomingMessage): string {
  return [headers['last-event-id'] ?? ''].flat()[0] ?? '';
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      throw new SentinelError({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'TOO_LARGE',
        message: `the body is above ${MAX_BODY_BYTES} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failure({ log, onRefused }: HttpServerOptions, thrown: unknown): HttpAnswer {
  const error = SentinelError.from(thrown);
  if (thrown instanceof SentinelError) {
    onRefused(error);
    return { status: httpStatus(error.code), json: error.toJson() };
  }
  log.error({ err: thrown }, 'unexpected error in an HTTP request');
  return {
    status: 500,
    json: new SentinelError({
      code: 'INTERNAL',
      message: 'internal error',
      hint: 'See the log of the service.',
    }).toJson(),
  };
}

function reply(request: IncomingMessage, response: ServerResponse, { status, json }: HttpAnswer): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(`${JSON.stringify(json)}\n`, () => {
    // What is left of a refused body is not worth reading.
    if (!request.complete) request.destroy();
  });
}
