import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { FrontCounts } from '../counts.js';
import { waitingIn } from '../memory.js';
import { InferWatch, type InferWatchParts } from './infer-watch.js';

/** Calls at a time on one connection. */
const MAX_STREAMS = 256;
/** Of a call or an answer, whose size is bounded besides. */
export const MAX_HEADERS = 2_000;
/** gRPC's code for a server that is not there. */
const UNAVAILABLE = '14';

export interface GrpcProxyParts extends InferWatchParts {
  /** HOST:PORT */
  readonly upstream: string;
  readonly maxConnections: number;
  readonly counts: FrontCounts;
  readonly draw: () => boolean;
}

/**
 * Lets gRPC through, call by call: messages of both directions at the pace of who reads, trailers, deadlines and cancellation. Each
 * connection of a client has one to the server.
 */
export class GrpcProxy {
  readonly server: Http2Server;
  readonly #parts: GrpcProxyParts;
  readonly #sessions = new Map<ServerHttp2Session, ClientHttp2Session | null>();
  readonly #calls = new Map<ServerHttp2Stream, ClientHttp2Stream>();
  #isCrowded = false;

  constructor(parts: GrpcProxyParts) {
    this.#parts = parts;
    this.server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS }, maxHeaderListPairs: MAX_HEADERS });
    this.server.maxConnections = parts.maxConnections;
    this.server.on('drop', () => {
      parts.counts.refused += 1;
    });
    this.server.on('session', (session) => this.#meet(session));
    this.server.on('stream', (stream, headers) => this.#take(stream, headers));
  }

  get open(): number {
    return this.#sessions.size;
  }

  /** Bytes that wait for clients or the server. */
  get waiting(): number {
    let bytes = 0;
    for (const [client, server] of this.#calls) bytes += waitingIn(client, server);
    return bytes;
  }

  /** @param isCrowded as much waits as may: further connections and calls are refused, and counted */
  crowd(isCrowded: boolean): void {
    this.#isCrowded = isCrowded;
    this.server.maxConnections = isCrowded ? Math.max(1, this.#sessions.size) : this.#parts.maxConnections;
  }

  /** No new connections and calls; those in flight end. */
  drain(): void {
    this.server.close();
    for (const session of this.#sessions.keys()) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #meet(session: ServerHttp2Session): void {
    const { counts } = this.#parts;
    this.#sessions.set(session, null);
    counts.connections += 1;
    session.on('error', () => undefined);
    session.on('close', () => {
      this.#sessions.get(session)?.destroy();
      this.#sessions.delete(session);
      counts.connections -= 1;
    });
  }

  #upstreamOf(session: ServerHttp2Session): ClientHttp2Session {
    const there = this.#sessions.get(session);
    if (there !== undefined && there !== null && !there.closed && !there.destroyed) return there;
    const upstream = connect(`http://${this.#parts.upstream}`, { maxHeaderListPairs: MAX_HEADERS });
    upstream.on('error', () => undefined);
    this.#sessions.set(session, upstream);
    return upstream;
  }

  #take(client: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const { counts, draw } = this.#parts;
    counts.requests += 1;
    client.on('error', () => undefined);
    if (client.session === undefined) return;
    if (this.#isCrowded) {
      // Nobody has seen it, and its client may call again (RFC 9113, section 8.7).
      counts.refused += 1;
      client.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const path = String(headers[':path']);
    const watch = draw() ? InferWatch.of(path, this.#parts) : null;
    const upstream = this.#upstreamOf(client.session as ServerHttp2Session);
    const server = upstream.request({ ...headers }, { endStream: false });
    this.#calls.set(client, server);
    let trailers: IncomingHttpHeaders = {};
    server.on('response', (answer, flags) => {
      if (client.destroyed) return;
      const { ':status': status, ...rest } = answer;
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      client.respond({ ':status': status, ...rest }, { endStream, waitForTrailers: !endStream });
    });
    server.on('trailers', (sent) => {
      trailers = sent;
    });
    if (watch !== null) {
      client.on('data', (data: Buffer) => watch.asked(data));
      server.on('data', (data: Buffer) => watch.push(data));
    }
    client.on('wantTrailers', () => {
      watch?.end();
      client.sendTrailers(trailers);
    });
    server.on('error', () => undefined);
    server.on('close', () => {
      if (client.destroyed || client.closed) return;
      // Whole, or cut off without an error, which nobody can tell apart any more.
      if (client.headersSent && server.rstCode === constants.NGHTTP2_NO_ERROR) return;
      // A call that was cut off ends as it did at the server; that the connection was lost is for the front to say.
      if (!client.headersSent && (upstream.closed || upstream.destroyed)) this.#failed(client);
      else client.close(server.rstCode);
    });
    client.on('close', () => {
      this.#calls.delete(client);
      if (!server.closed) server.close(client.rstCode || constants.NGHTTP2_CANCEL);
    });
    client.pipe(server);
    server.pipe(client);
  }

  #failed(client: ServerHttp2Stream): void {
    this.#parts.counts.unavailable += 1;
    client.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': UNAVAILABLE,
        'grpc-message': 'the inference server cannot be reached',
      },
      { endStream: true },
    );
  }
}
