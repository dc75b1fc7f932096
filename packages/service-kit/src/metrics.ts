import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Address, formatAddress, parseListenAddress } from './address.js';
import { SentinelError } from './errors.js';
import { KEEP_ALIVE_MS } from './http-port.js';
import type { Logger } from './logging.js';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** How often a taken port is tried again where metrics are not worth dying for. */
const RETRY_PORT_MS = 5_000;
/** A scraper that sends its request slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 5_000;

/** A registry with the process's own metrics (memory, CPU, event-loop delay). */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** A gauge without labels that is read when it is scraped. */
export function readGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

export interface MetricsServerOptions {
  readonly registry: Registry;
  /** host:port; port 0 takes a free one. */
  readonly address: string;
  /** Configuration key of the address, named in errors. */
  readonly addressKey: string;
  readonly log: Logger;
  /** Further pages by their path, each made when it is asked for and sent as JSON. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
  /** True: a taken port is an error. False: it warns and is tried again while the service goes on. */
  readonly required: boolean;
}

export interface MetricsServer {
  /** host:port that answers, or null while the port is taken. */
  readonly address: string | null;
  close(): Promise<void>;
}

/**
 * Serves GET /metrics and the other pages in plain HTTP.
 * @throws SentinelError UNAVAILABLE when the port is taken and `required`.
 */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const wanted = parseListenAddress(options.address);
  const pages = options.pages ?? {};
  const times = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer(times, (request, response) => {
    const path = request.method === 'GET' ? (request.url?.split('?')[0] ?? '') : '';
    if (Object.hasOwn(pages, path)) {
      const text = `${JSON.stringify(pages[path]?.())}\n`;
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
      return;
    }
    if (path !== '/metrics') {
      response.writeHead(404).end(`metrics are at ${['GET /metrics', ...Object.keys(pages)].join(', ')}\n`);
      return;
    }
    options.registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': options.registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  let retry: NodeJS.Timeout | null = null;
  let current: string | null = null;
  const tryListen = async (): Promise<void> => {
    const failure = await listen(server, wanted);
    if (failure === null) {
      current = formatAddress(server.address() as AddressInfo);
      if (retry !== null) options.log.info({ address: current }, 'the port is free now: metrics are served');
      return;
    }
    const error = portError(options, failure);
    if (options.required) throw error;
    // Said once: the port may stay taken for days.
    if (retry === null) options.log.warn({ address: options.address, setting: options.addressKey }, error.sentence);
    retry = setTimeout(() => void tryListen(), RETRY_PORT_MS).unref();
  };
  await tryListen();
  return {
    get address() {
      return current;
    },
    close: () => {
      if (retry !== null) clearTimeout(retry);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, address: Address): Promise<Error | null> {
  return new Promise((resolve) => {
    const settle = (failure: Error | null): void => {
      server.off('error', settle).off('listening', listening);
      resolve(failure);
    };
    const listening = (): void => settle(null);
    server.once('error', settle).once('listening', listening).listen(address.port, address.host);
  });
}

function portError(options: MetricsServerOptions, cause: Error): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    message: `metrics cannot listen on ${options.address} (${cause.message})`,
    field: options.addressKey,
    hint: `Set ${options.addressKey} to a free address${options.required ? '' : ', or free the port: it is tried again'}.`,
    cause,
  });
}
