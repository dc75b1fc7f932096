import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formatAddress, parseListenAddress } from './address.js';
import { SentinelError } from './errors.js';
import type { Logger } from './logging.js';
import { followTlsFiles, loadTls, type TlsFiles } from './tls.js';

const MAX_HEADER_BYTES = 16 * 1024;
/** A client that sends its request slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Clients keep a connection for 90 s without a request (Kubernetes' API server, as Go's HTTP client does): one that is ended in that moment costs a POST. */
export const KEEP_ALIVE_MS = 120_000;
/** More than an installation's pages and verifiers make; those beyond it wait in the kernel. */
const MAX_CONNECTIONS = 1_024;

export interface HttpPortOptions {
  /** host:port; port 0 takes a free one. */
  readonly address: string;
  /** Setting that gives the address, for errors. */
  readonly addressKey: string;
  /** null = plaintext. */
  readonly tls: HttpTls | null;
  readonly listener: RequestListener;
  readonly log: Logger;
  readonly reloadIntervalMs?: number;
}

export interface HttpTls {
  readonly files: TlsFiles;
  readonly keyPrefix: string;
  /** A client may show a certificate of the same authority; it is the listener that judges it. */
  readonly mutual: boolean;
}

export interface HttpPort {
  /** host:port that is listened on. */
  readonly address: string;
  close(): Promise<void>;
}

/** Listens for HTTP; with TLS the certificate follows its files. @throws SentinelError UNAVAILABLE when the port is taken */
export async function openHttpPort(options: HttpPortOptions): Promise<HttpPort> {
  const { server, unfollow } = makeServer(options);
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await listen(server, options);
  } catch (error) {
    unfollow();
    throw error;
  }
  return {
    address: formatAddress(server.address() as AddressInfo),
    close: () => {
      unfollow();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function makeServer({ tls, listener, log, reloadIntervalMs }: HttpPortOptions): {
  server: Server;
  unfollow: () => void;
} {
  const times = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, ...times };
  if (tls === null) return { server: createServer(limits, listener), unfollow: () => undefined };
  const { files, keyPrefix, mutual } = tls;
  // Browsers and probes of health show no certificate: who needs one is refused with a reason, not in the handshake.
  const asked = { requestCert: mutual, rejectUnauthorized: false };
  const server = createTlsServer({ ...limits, ...asked, ...loadTls(files, keyPrefix) }, listener);
  const followed = { files, keyPrefix, log, ...(reloadIntervalMs === undefined ? {} : { reloadIntervalMs }) };
  return { server, unfollow: followTlsFiles(followed, (renewed) => server.setSecureContext(renewed)) };
}

async function listen(server: Server, { address, addressKey }: HttpPortOptions): Promise<void> {
  const { host, port } = parseListenAddress(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another process has the port' : cause.message;
      reject(
        new SentinelError({
          code: 'UNAVAILABLE',
          message: `HTTP cannot listen on ${address} (${why})`,
          field: addressKey,
          hint: `Stop the other process, or set ${addressKey} to a free address.`,
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** The target of a request. @throws SentinelError INVALID_ARGUMENT for one such as `//[` */
export function requestUrl({ url }: IncomingMessage): URL {
  const parsed = URL.parse(url ?? '/', 'http://localhost');
  if (parsed !== null) return parsed;
  throw new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message: 'the request target is no URL' });
}
