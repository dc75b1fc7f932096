import { resolve } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type EngineClient, engineClient, type LedgerClient, ledgerClient, type Reading } from './client.js';
import { type Endpoints, readEndpoints, type ServiceEndpoint } from './endpoints.js';
import { usageError } from './failure.js';
import { jsonText, toJson } from './json.js';
import { plainly } from './views/index.js';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly data: string;
  readonly engine?: string;
  readonly engineHttp?: string;
  readonly ledger?: string;
  readonly ledgerHttp?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly tokenFile?: string;
  readonly output: 'table' | 'json';
}

/** What a command works with: where to write, whom to ask, what time it is. */
export interface Io {
  /** `columns` of a terminal alone. */
  readonly stdout: { write(text: string): unknown; readonly columns?: number | undefined };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Aborted by Ctrl-C, which ends the process at once as long as nobody asked for this. */
  readonly signal: AbortSignal;
  readonly nowUs: () => bigint;
}

export interface Context extends Io {
  readonly dataDir: string;
  readonly endpoints: Endpoints;
  readonly json: boolean;
  engine(): EngineClient;
  ledger(): LedgerClient;
  /** Writes the answer: text for a person, or `value` as JSON. */
  answer(value: unknown, text: () => string): void;
  /** A remark for a person, beside the answer. */
  remark(sentence: string): void;
}

/** Runs a command with clients that are closed after it. @throws SentinelError for flags and files that are wrong */
export async function withContext(
  flags: GlobalFlags,
  io: Io,
  run: (context: Context) => Promise<number>,
): Promise<number> {
  const dataDir = resolve(flags.data);
  const endpoints = endpointsOf(flags, dataDir);
  const json = flags.output === 'json';
  // Scripts get what there is, and JSON has its own way to write control characters.
  const read: Reading = json ? (answer) => answer : plainly;
  const open: { close(): void }[] = [];
  const opened = <T extends { close(): void }>(client: T): T => {
    open.push(client);
    return client;
  };
  try {
    return await run({
      ...io,
      dataDir,
      endpoints,
      json,
      engine: () => opened(engineClient(endpoints, read)),
      ledger: () => opened(ledgerClient(endpoints, read)),
      answer: (value, text) => io.stdout.write(`${json ? jsonText(toJson(value), 2) : text()}\n`),
      remark: (sentence) => io.stderr.write(`${sentence}\n`),
    });
  } finally {
    for (const client of open) client.close();
  }
}

/** Flags over the file of the data folder, which need not be there when the flags say everything. */
function endpointsOf(flags: GlobalFlags, dataDir: string): Endpoints {
  const { engine, engineHttp, ledger, ledgerHttp } = flags;
  const base = baseOf(flags, dataDir);
  const tls = tlsOf(flags);
  return {
    ...base,
    engine: {
      grpc: engine === undefined ? base.engine.grpc : address('--engine', engine),
      http: engineHttp === undefined ? httpBeside(engine, base.engine) : address('--engine-http', engineHttp),
    },
    ledger: {
      grpc: ledger === undefined ? base.ledger.grpc : address('--ledger', ledger),
      http: ledgerHttp === undefined ? base.ledger.http : address('--ledger-http', ledgerHttp),
    },
    ...(tls === undefined ? {} : { tls }),
    ...(flags.tokenFile === undefined ? {} : { operatorTokenPath: resolve(flags.tokenFile) }),
  };
}

const HTTP_PORT = 8080;

/** Of an installation with the documented ports on this machine. */
const LOCAL: { readonly engine: ServiceEndpoint; readonly ledger: ServiceEndpoint } = {
  engine: { grpc: '127.0.0.1:50051', http: `127.0.0.1:${HTTP_PORT}` },
  ledger: { grpc: '127.0.0.1:50052', http: '127.0.0.1:8083' },
};

/** HTTP of an engine that only its gRPC port was named of: the documented port of that machine, unless it is the known one. */
function httpBeside(engine: string | undefined, known: ServiceEndpoint): string {
  if (engine === undefined || engine === known.grpc) return known.http;
  return `${engine.slice(0, engine.lastIndexOf(':'))}:${HTTP_PORT}`;
}

/** With a service named by a flag the file may be missing: the other services then have their documented ports. */
function baseOf({ engine, engineHttp, ledger, ledgerHttp }: GlobalFlags, dataDir: string): Endpoints {
  const named = (engine ?? engineHttp ?? ledger ?? ledgerHttp) !== undefined;
  try {
    return readEndpoints(dataDir);
  } catch (error) {
    if (named && error instanceof SentinelError && error.code === 'UNAVAILABLE') return LOCAL;
    throw error;
  }
}

function tlsOf({ tlsCa, tlsCert, tlsKey, tlsServerName }: GlobalFlags): Endpoints['tls'] {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCa === undefined || tlsCert === undefined || tlsKey === undefined) {
    throw usageError('--tls-ca', '--tls-ca, --tls-cert and --tls-key belong together', 'Give all three.');
  }
  const files = { caFile: resolve(tlsCa), certFile: resolve(tlsCert), keyFile: resolve(tlsKey) };
  return tlsServerName === undefined ? files : { ...files, serverName: tlsServerName };
}

const ADDRESS = /^(?:\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})$/;

function address(flag: string, text: string): string {
  const port = Number(ADDRESS.exec(text)?.[1] ?? 0);
  if (port < 1 || port > 65_535) throw usageError(flag, `${flag} takes HOST:PORT, not ${text}`);
  return text;
}
