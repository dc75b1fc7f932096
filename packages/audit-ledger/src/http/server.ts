import type { IncomingMessage, ServerResponse } from 'node:http';
import { httpStatus, SentinelError } from '@sentinel/service-kit/errors';
import { checkWebCaller, type GuardOptions } from '@sentinel/service-kit/http-guard';
import { type HttpPort, type HttpPortOptions, openHttpPort, requestUrl } from '@sentinel/service-kit/http-port';
import { publicReadError } from '../rpc/errors.js';
import type { Answer } from './routes.js';

export interface HttpOptions extends Omit<HttpPortOptions, 'listener'> {
  readonly guard: GuardOptions;
  readonly answer: (url: URL) => Promise<Answer>;
}

/** @throws SentinelError UNAVAILABLE when the port is taken */
export async function serveHttp(options: HttpOptions): Promise<HttpPort> {
  return await openHttpPort({
    ...options,
    listener: (request, response) => void respond(options, request, response),
  });
}

async function respond(options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  try {
    checkWebCaller(request.headers, options.guard);
    const { origin } = request.headers;
    if (origin !== undefined) response.setHeader('access-control-allow-origin', origin).setHeader('vary', 'origin');
    if (request.method === 'OPTIONS')
      return void response.writeHead(204, { 'access-control-allow-methods': 'GET, HEAD' }).end();
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    const { status, contentType, cacheControl, body } = await options.answer(requestUrl(request));
    response.writeHead(status, {
      'content-type': contentType,
      'cache-control': cacheControl,
      'content-length': Buffer.byteLength(body),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch (thrown) {
    const error = publicReadError(thrown);
    if (!(error instanceof SentinelError)) options.log.error({ err: error }, 'unexpected error in a request');
    fail(
      response,
      error instanceof SentinelError
        ? error
        : new SentinelError({ code: 'INTERNAL', message: 'internal error', hint: 'See the log of the service.' }),
    );
  }
}

function fail(response: ServerResponse, error: SentinelError): void {
  // Who refuses because of what it saw of the log is no broken server.
  const status = error.code === 'DATA_LOSS' && error.reason === 'CONFLICT' ? 503 : httpStatus(error.code);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(error.toJson()));
}
