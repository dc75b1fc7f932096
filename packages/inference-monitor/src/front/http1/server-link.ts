import type { Socket } from 'node:net';

/** An idle connection to the server is closed after this time: before the server does, of which uvicorn and Node wait 5 s, gunicorn 2 s. */
export const SERVER_IDLE_MS = 1_000;
/** A request is kept up to here to be sent anew. */
const MAX_RESENT_BYTES = 65_536;

export interface LinkEvents {
  readonly data: (bytes: Buffer) => void;
  readonly drain: () => void;
  readonly ended: () => void;
  /** @param connected false where there was no server, or none that proved to be it */
  readonly failed: (connected: boolean, error: Error) => void;
  /** Nothing came or went for `SERVER_IDLE_MS`. */
  readonly idle: () => void;
}

/** The connection to the server of one connection of a client. It may be made anew between two requests, of which the client learns nothing. */
export class ServerLink {
  readonly #open: () => Socket;
  readonly #events: LinkEvents;
  #socket: Socket | null;
  #used = false;
  /** What was sent of the request that waits for its answer; null = it is not to be sent anew. */
  #sent: Buffer[] | null = null;
  #sentBytes = 0;

  constructor(open: () => Socket, events: LinkEvents) {
    this.#open = open;
    this.#events = events;
    this.#socket = this.#connect();
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Bytes of requests, that are sent or kept to be sent anew. */
  get waiting(): number {
    return Math.max(this.#socket?.writableLength ?? 0, this.#sent === null ? 0 : this.#sentBytes);
  }

  /** It has carried an answer to its end: the server may close it at any time. */
  get used(): boolean {
    return this.#used;
  }

  /** Connects where it is closed. @returns false where it is better to wait for `drain` */
  write(bytes: Buffer): boolean {
    this.#socket ??= this.#connect();
    if (this.#sent !== null) {
      this.#sent.push(bytes);
      this.#sentBytes += bytes.length;
      if (this.#sentBytes > MAX_RESENT_BYTES) this.#sent = null;
    }
    return this.#socket.write(bytes);
  }

  /** A request begins, and no other waits. @param keeps false = it cannot be sent anew */
  begin(keeps: boolean): void {
    this.#sent = keeps && this.#used ? [] : null;
    this.#sentBytes = 0;
  }

  /** The last answer that was waited for is whole. */
  answered(): void {
    if (!this.#used) this.#socket?.setTimeout(SERVER_IDLE_MS);
    this.#used = true;
    this.#sent = null;
  }

  /**
   * Sends the request on a new connection that was sent on a used one and got no byte of an answer.
   * @returns false where it cannot be sent anew
   */
  resend(): boolean {
    if (this.#sent === null) return false;
    const sent = Buffer.concat(this.#sent);
    this.renew();
    if (sent.length > 0) this.write(sent);
    return true;
  }

  renew(): void {
    this.close();
    this.#socket = this.#connect();
  }

  /** Until something is written. */
  close(): void {
    const socket = this.#socket;
    socket?.removeAllListeners().on('error', () => undefined);
    socket?.destroy();
    this.#socket = null;
    this.#used = false;
    this.#sent = null;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#socket?.end();
  }

  reset(): void {
    this.#socket?.resetAndDestroy();
  }

  #connect(): Socket {
    const { data, drain, ended, failed, idle } = this.#events;
    const socket = this.#open();
    let connected = false;
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      connected = true;
    });
    socket.on('data', (bytes) => {
      this.#sent = null;
      data(bytes);
    });
    socket.on('drain', drain).on('end', ended).on('timeout', idle);
    return socket.on('error', (error) => failed(connected, error));
  }
}
