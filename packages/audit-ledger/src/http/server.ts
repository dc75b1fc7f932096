import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formatAddress, parseAddress } from '@sentinel/service-kit/address';
import { httpStatus, SentinelError } from '@sentinel/service-kit/errors';
import { checkWebCaller, type GuardOptions } from '@sentinel/service-kit/http-guard';
import type { Logger } from '@sentinel/service-kit/logging';
import { loadTls, type TlsFiles } from '@sentinel/service-kit/tls';
import { publicReadError } from '../rpc/errors.js';
import type { Answer } from './routes.js';

/** A client that sends its request slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;
/** More connections than a fleet's verifiers make; beyond it new ones wait in the kernel. */
const MAX_CONNECTIONS = 1024;
/** How often a renewed certificate is looked for. */
const RELOAD_TLS_MS = 60_000;

export interface HttpOptions {
  readonly guard: GuardOptions;
  /** host:port; port 0 takes a free one. */
  readonly address: string;
  readonly addressKey: string;
  readonly tls: { readonly files: TlsFiles; readonly keyPrefix: string } | null;
  readonly answer: (url: URL) => Promise<Answer>;
  readonly log: Logger;
}

export interface HttpServer {
  /** host:port that is listened on. */
  readonly address: string;
  close(): Promise<void>;
}

/** @throws SentinelError UNAVAILABLE when the port is taken */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => void respond(options, request, response);
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS };
  const { tls } = options;
  const server =
    tls === null
      ? createServer(limits, handle)
      : createSecureServer({ ...limits, ...loadTls(tls.files, tls.keyPrefix) }, handle);
  server.maxConnections = MAX_CONNECTIONS;
  const reload =
    tls === null
      ? undefined
      : setInterval(() => renew(server as SecureServer, tls, options.log), RELOAD_TLS_MS).unref();
  await listen(server, options);
  return {
    address: formatAddress(server.address() as AddressInfo),
    close: async () => {
      clearInterval(reload);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
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
    const { contentType, cacheControl, body } = await options.answer(urlOf(request.url ?? '/'));
    response.writeHead(200, {
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

/** @throws SentinelError INVALID_ARGUMENT for a target such as `//[` */
function urlOf(target: string): URL {
  const url = URL.parse(target, 'http://ledger');
  if (url !== null) return url;
  throw new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message: 'the request target is no URL' });
}

function fail(response: ServerResponse, error: SentinelError): void {
  response.writeHead(httpStatus(error.code), { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(error.toJson()));
}

function renew(server: SecureServer, tls: { readonly files: TlsFiles; readonly keyPrefix: string }, log: Logger): void {
  try {
    server.setSecureContext(loadTls(tls.files, tls.keyPrefix));
  } catch (error) {
    log.warn({ err: error }, 'TLS certificate cannot be used; keeping the old one');
  }
}

async function listen(server: Server | SecureServer, { address, addressKey }: HttpOptions): Promise<void> {
  const { host, port } = parseAddress(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `HTTP cannot listen on ${address} (${cause.message})`;
      reject(
        new SentinelError({
          code: 'UNAVAILABLE',
          message,
          field: addressKey,
          hint: `Stop the other process, or set ${addressKey} to a free address.`,
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
