import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type IncomingMessage,
  type InformationEvent,
  type OutgoingHttpHeaders,
  request,
} from 'node:http';
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { FrontCounts } from '../counts.js';
import type { Drainable } from '../front.js';
import { MAX_HEADERS } from '../grpc/grpc-proxy.js';
import { MAX_HEAD_BYTES } from '../http1/head.js';
import { isRepeatable } from '../http1/repeatable.js';
import { SERVER_IDLE_MS } from '../http1/server-link.js';
import type { ServerSockets } from '../http1/server-sockets.js';
import { UNAVAILABLE_BODY } from '../http1/unavailable.js';
import { waitingIn } from '../memory.js';
import { type Doubt, HOLD_MS, MAX_SAMPLED_BODY_BYTES, type Plan, type Sampling } from '../sampling/plan.js';
import { readThrough } from './read-through.js';

/** Requests at a time on one connection. */
const MAX_STREAMS = 256;
/** A connection on which nothing is outstanding is closed after this time. */
const IDLE_MS = 900_000;

const NOTHING = Buffer.alloc(0);

/** Of one connection, which HTTP/2 does not have (RFC 9113 §8.2.2). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

export interface BridgeParts {
  readonly upstream: URL;
  readonly sockets: ServerSockets;
  readonly sampling: Sampling;
  readonly counts: FrontCounts;
  /** At a time, of all clients; each has a connection to the server. */
  readonly maxRequests: number;
  /** The server is not there. */
  readonly onUnavailable?: (error: Error) => void;
  /** A drawn request that takes longer to come passes unsampled, milliseconds. */
  readonly holdMs?: number;
}

interface Agents {
  readonly kept: Agent;
  /** Each of its connections carries one request. */
  readonly fresh: Agent;
}

/** Its connections hold nothing while their answers wait. */
function agentFor({ upstream, sockets }: BridgeParts, options: AgentOptions = {}): Agent {
  const agent = upstream.protocol === 'https:' ? new TlsAgent(options) : new Agent(options);
  agent.createConnection = () => sockets.open(false);
  return agent;
}

/** Serves HTTP/2 in front of a server that speaks HTTP/1.1: each stream is one request there. */
export class Http2Bridge {
  readonly #parts: BridgeParts;
  readonly #server: Http2Server;
  readonly #agents: Agents;
  readonly #sessions = new WeakMap<Socket, ServerHttp2Session>();
  readonly #open = new Set<StreamExchange>();
  #isCrowded = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#agents = { kept: agentFor(parts, { keepAlive: true, timeout: SERVER_IDLE_MS }), fresh: agentFor(parts) };
    this.#server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS }, maxHeaderListPairs: MAX_HEADERS });
    this.#server.on('session', (session) => {
      let open = 0;
      session.on('error', () => undefined);
      session.on('stream', (stream) => {
        open += 1;
        stream.once('close', () => {
          open -= 1;
        });
      });
      session.setTimeout(IDLE_MS);
      session.on('timeout', () => {
        if (open === 0) session.close();
      });
    });
    this.#server.on('stream', (stream, headers, _, raw) => this.#take(stream, headers, pairs(raw)));
  }

  /** @param first what the client has sent already */
  serve(client: Socket, first: Buffer): Drainable {
    // A client of HTTP/2 that has sent its last can read no more either: it has gone, and its requests end.
    client.allowHalfOpen = false;
    client.once('end', () => client.destroy());
    client.unshift(first);
    this.#server.once('session', (session) => this.#sessions.set(client, session));
    this.#server.emit('connection', client);
    const session = () => this.#sessions.get(client);
    return {
      get waiting() {
        return waitingIn(client);
      },
      drain: () => session()?.close(),
      destroy: () => session()?.destroy(),
    };
  }

  /** Bytes that wait for clients or the server. */
  get waiting(): number {
    let bytes = 0;
    for (const exchange of this.#open) bytes += exchange.waiting;
    return bytes;
  }

  /** @param isCrowded as much waits as may: further requests are refused, and counted */
  crowd(isCrowded: boolean): void {
    this.#isCrowded = isCrowded;
  }

  /** @param raw every header as it came, also those that came several times */
  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly [string, string][]): void {
    const { sampling, counts, maxRequests } = this.#parts;
    counts.requests += 1;
    stream.on('error', () => undefined);
    if (this.#isCrowded || this.#open.size >= maxRequests) {
      // Its client knows that nobody has seen it, and may ask again (RFC 9113, section 8.7).
      counts.refused += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const list = raw.filter(([name]) => !name.startsWith(':'));
    if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
    const exchange = new StreamExchange(stream, headers, list, this.#parts, this.#agents);
    this.#open.add(exchange);
    stream.once('close', () => this.#open.delete(exchange));
    if (!sampling.draw()) {
      exchange.pass();
      return;
    }
    const doubt = sampling.admit(String(headers[':method']), String(headers[':path']), list);
    if (doubt === null) exchange.hold();
    else {
      sampling.doubt(doubt);
      exchange.pass();
    }
  }
}

/** One request and its answer. */
class StreamExchange {
  readonly #client: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #list: [string, string][];
  readonly #parts: BridgeParts;
  readonly #agents: Agents;
  #server: ClientRequest | null = null;
  #answered: IncomingMessage | null = null;
  /** Of a body that is held. */
  #held = 0;
  #through = (): number => 0;
  /** A refusal is coming that the client does not get: however it ends, the original is sent. */
  #isRefused = false;

  constructor(
    client: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    list: [string, string][],
    parts: BridgeParts,
    agents: Agents,
  ) {
    this.#client = client;
    this.#headers = headers;
    this.#list = list;
    this.#parts = parts;
    this.#agents = agents;
    // The server has to know at once when nobody waits for the answer.
    client.on('close', () => this.#server?.destroy());
  }

  get waiting(): number {
    const [asked, answered] = [this.#server?.writableLength ?? 0, this.#answered?.readableLength ?? 0];
    return waitingIn(this.#client) + asked + answered + this.#held + this.#through();
  }

  /** As it comes. */
  pass(): void {
    if (this.#client.endAfterHeaders) {
      this.#ask(null, NOTHING, null).end();
      return;
    }
    const server = this.#ask(null, null);
    this.#client.pipe(server);
  }

  /** Until it is whole, or too large, or slow. */
  hold(): void {
    const { sampling } = this.#parts;
    const client = this.#client;
    const parts: Buffer[] = [];
    const release = (doubt: Doubt) => {
      clearTimeout(timer);
      client.off('data', take).off('end', end).pause();
      sampling.doubt(doubt);
      const server = this.#ask(null, null);
      if (this.#held > 0) server.write(Buffer.concat(parts));
      // The server may answer, or wait for more, once it has the head.
      else server.flushHeaders();
      this.#held = 0;
      client.pipe(server);
    };
    const timer = setTimeout(() => release('slow'), this.#parts.holdMs ?? HOLD_MS);
    client.on('close', () => clearTimeout(timer));
    const take = (data: Buffer) => {
      parts.push(data);
      this.#held += data.length;
      if (this.#held > MAX_SAMPLED_BODY_BYTES) release('too_large');
    };
    const end = () => {
      clearTimeout(timer);
      const body = Buffer.concat(parts);
      const { ':method': method = '', ':path': path = '' } = this.#headers;
      const plan = sampling.plan({ method, path, headers: this.#list, body });
      this.#ask(plan, body, plan?.body ?? body).end(plan?.body ?? body);
    };
    client.on('data', take).on('end', end);
  }

  /**
   * @param original null = the body is piped
   * @param sent what is sent in its place
   */
  #ask(
    plan: Plan | null,
    original: Buffer | null,
    sent: Buffer | null = original,
    agent = this.#agents.kept,
  ): ClientRequest {
    const { upstream, counts } = this.#parts;
    const { ':method': method = 'GET', ':path': path = '/' } = this.#headers;
    const options = {
      host: upstream.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: upstream.port,
      agent,
      method,
      path,
      headers: this.#requestHeaders(sent?.length ?? null),
      setHost: false,
      maxHeaderSize: MAX_HEAD_BYTES,
    };
    const server = upstream.protocol === 'https:' ? tlsRequest(options) : request(options);
    this.#server = server;
    let heard = false;
    let answered = false;
    server.on('information', (information) => {
      heard = true;
      this.#inform(information);
    });
    server.on('response', (answer) => {
      answered = true;
      this.#answer(answer, plan, original);
    });
    server.on('error', (error) => {
      if (this.#client.destroyed || this.#isRefused) return;
      if (!answered && original !== null && plan?.unanswered() === true) {
        this.#ask(plan, original).end(original);
        return;
      }
      // The server may have closed a used connection just as the request was sent on it.
      if (!answered && !heard && original !== null && server.reusedSocket && isRepeatable({ method, path })) {
        counts.resent += 1;
        this.#ask(plan, original, sent, this.#agents.fresh).end(sent ?? original);
        return;
      }
      if (this.#client.headersSent) {
        this.#client.close(constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      counts.unavailable += 1;
      this.#parts.sampling.forget();
      this.#parts.onUnavailable?.(error);
      this.#client.respond({ ':status': 502, 'content-type': 'application/json' });
      this.#client.end(UNAVAILABLE_BODY);
    });
    return server;
  }

  #requestHeaders(length: number | null): OutgoingHttpHeaders {
    const kept: OutgoingHttpHeaders = {};
    const { ':authority': authority, host } = this.#headers;
    kept['host'] = authority ?? host ?? this.#parts.upstream.host;
    for (const [name, value] of this.#list)
      if (name !== 'host' && name !== 'expect' && !HOP_BY_HOP.has(name)) kept[name] = withMore(kept[name], value, name);
    if (length !== null) kept['content-length'] = length;
    // A body without a length, of whatever method, must not be taken for the next request.
    else if (kept['content-length'] === undefined && !this.#client.endAfterHeaders)
      kept['transfer-encoding'] = 'chunked';
    return kept;
  }

  /** An interim answer, such as 103. The front itself has answered 100. */
  #inform({ statusCode, rawHeaders }: InformationEvent): void {
    const client = this.#client;
    if (statusCode <= 101 || client.destroyed || client.headersSent) return;
    client.additionalHeaders({ ':status': statusCode, ...responseHeaders(pairs(rawHeaders)) });
  }

  #answer(answer: IncomingMessage, plan: Plan | null, original: Buffer | null): void {
    const client = this.#client;
    this.#answered = answer;
    const { statusCode = 502 } = answer;
    const list = pairs(answer.rawHeaders);
    const reading = plan?.answer(statusCode, list) ?? { kind: 'pass' as const };
    if (reading.kind === 'again' && original !== null) {
      this.#isRefused = true;
      answer.on('error', () => undefined).on('data', reading.push);
      answer.on('close', () => {
        this.#isRefused = false;
        if (!client.destroyed) this.#ask(plan, original).end(original);
      });
      return;
    }
    if (client.destroyed) return;
    const changes = reading.kind === 'whole' || reading.kind === 'stream';
    const headers = responseHeaders(changes ? list.filter(([name]) => name !== 'content-length') : list);
    client.respond({ ':status': statusCode, ...headers }, { waitForTrailers: true });
    client.on('wantTrailers', () => client.sendTrailers({ ...answer.trailers }));
    answer.on('error', () => client.close(constants.NGHTTP2_INTERNAL_ERROR));
    answer.on('aborted', () => client.close(constants.NGHTTP2_INTERNAL_ERROR));
    this.#through = readThrough(reading, answer, client, () => plan?.abandon());
  }
}

function responseHeaders(list: readonly [string, string][]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const named = list
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(/[\s,]+/));
  for (const [name, value] of list)
    if (!HOP_BY_HOP.has(name) && !named.includes(name)) headers[name] = withMore(headers[name], value, '');
  return headers;
}

/** A header that came several times goes on so, but for cookies, of which HTTP/1.1 has one line (RFC 9113, section 8.2.3). */
function withMore(before: OutgoingHttpHeaders[string], value: string, name: string): string | string[] {
  if (before === undefined) return value;
  return name === 'cookie' ? `${String(before)}; ${value}` : [before, value].flat().map(String);
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let k = 0; k + 1 < raw.length; k += 2) found.push([(raw[k] ?? '').toLowerCase(), raw[k + 1] ?? '']);
  return found;
}
