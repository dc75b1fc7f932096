import { createServer, type Server, type Socket } from 'node:net';
import type { FrontCounts } from './counts.js';
import type { ServerSockets } from './http1/server-sockets.js';
import { Tunnel } from './http1/tunnel.js';
import { Preface } from './http2/preface.js';
import { HIGH_WATER_BYTES } from './memory.js';
import type { Sampling } from './sampling/plan.js';
import type { FrontSettings } from './settings.js';

/** Connections that wait to be accepted. */
export const BACKLOG = 1_024;
/** During a drain a connection has so long to send something. */
const FIRST_BYTE_MS = 1_000;
const KEEP_ALIVE_MS = 60_000;
/** Share of the connections up to which those that the server has closed are kept for further requests. */
const CROWDED = 0.5;

/** Whatever can be told to end with what is in flight. */
export interface Drainable {
  /** Bytes that wait for the client or the server. */
  readonly waiting: number;
  drain(): void;
  destroy(): void;
}

export interface FrontParts {
  readonly settings: FrontSettings;
  readonly sampling: Sampling;
  readonly counts: FrontCounts;
  readonly sockets: ServerSockets;
  /** Serves a connection over HTTP/2. */
  readonly http2?: (client: Socket, first: Buffer) => Drainable;
  readonly onUnavailable?: (error: Error) => void;
}

/** Takes connections and lets them through. */
export class Front {
  readonly counts: FrontCounts;
  readonly server: Server;
  readonly #parts: FrontParts;
  readonly #open = new Map<Socket, Drainable | null>();
  #draining = false;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    this.counts = parts.counts;
    const options = {
      ...{ allowHalfOpen: true, highWaterMark: HIGH_WATER_BYTES },
      ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    };
    this.server = createServer(options, (client) => this.#meet(client));
    this.server.maxConnections = parts.settings.maxConnections;
    this.server.on('drop', () => {
      this.counts.refused += 1;
    });
  }

  get open(): number {
    return this.#open.size;
  }

  get waiting(): number {
    let bytes = 0;
    for (const served of this.#open.values()) bytes += served?.waiting ?? 0;
    return bytes;
  }

  /** @param isCrowded as much waits as may: further connections are refused, and counted */
  crowd(isCrowded: boolean): void {
    this.server.maxConnections = isCrowded ? Math.max(1, this.#open.size) : this.#parts.settings.maxConnections;
  }

  /** No new connections, no further requests. */
  drain(): void {
    this.server.close();
    this.#draining = true;
    for (const served of this.#open.values()) served?.drain();
    const close = (): void => {
      for (const [client, served] of this.#open) if (served === null) client.destroy();
    };
    // A request may be under way on a connection that was accepted just now; and be there, unread, where this process stood still.
    setTimeout(() => setImmediate(close), FIRST_BYTE_MS).unref();
  }

  destroy(): void {
    for (const [client, served] of this.#open) {
      served?.destroy();
      client.destroy();
    }
  }

  #meet(client: Socket): void {
    this.#open.set(client, null);
    this.counts.connections += 1;
    client.on('close', () => {
      this.#open.delete(client);
      this.counts.connections -= 1;
    });
    const preface = new Preface();
    const early = () => client.destroy();
    const look = (bytes: Buffer) => {
      const kind = preface.push(bytes);
      if (kind === 'more') return;
      client.off('data', look).off('error', early).off('end', early);
      const served = this.#serve(client, kind, preface.take());
      this.#open.set(client, served);
      if (this.#draining) served.drain();
    };
    client.on('data', look).on('error', early).on('end', early);
  }

  #serve(client: Socket, kind: 'http2' | 'other', first: Buffer): Drainable {
    const { sampling, http2, sockets, onUnavailable } = this.#parts;
    if (kind === 'http2' && http2 !== undefined) {
      client.pause();
      return http2(client, first);
    }
    const tunnel = new Tunnel(client, {
      connect: () => sockets.open(true),
      pressed: () => sockets.isPressed,
      sampling,
      counts: this.counts,
      onUnavailable,
      crowded: () => this.#open.size > this.#parts.settings.maxConnections * CROWDED,
    });
    tunnel.begin(first);
    return tunnel;
  }
}
