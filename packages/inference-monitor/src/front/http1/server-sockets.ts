import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { HIGH_WATER_BYTES } from '../memory.js';
import { portOf } from '../settings.js';

const KEEP_ALIVE_MS = 60_000;
/** Read at a time at most. */
export const READ_BYTES = 65_536;

/**
 * Makes connections to the server. What comes is read into memory that all of them share, and told as a copy: a connection that is paused
 * holds nothing, where Node's own read on until `READ_BYTES` or twice as much wait in it.
 */
export class ServerSockets {
  readonly #options: TcpNetConnectOpts & ConnectionOptions;
  readonly #isTls: boolean;
  readonly #memory = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #onRead: (bytes: number) => number;
  #next = this.#memory;

  /** @param onRead told how much was read; gives how much may be read at a time, `READ_BYTES` at most */
  constructor(upstream: URL, onRead: (bytes: number) => number = () => READ_BYTES) {
    const host = upstream.hostname.replace(/^\[(.*)\]$/, '$1');
    this.#options = {
      ...{ host, port: portOf(upstream), highWaterMark: HIGH_WATER_BYTES },
      ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      // A server of several names shows the certificate of the one that is asked for (RFC 6066, section 3), which is no address.
      ...(isIP(host) === 0 ? { servername: host } : {}),
    };
    this.#onRead = onRead;
    this.#isTls = upstream.protocol === 'https:';
  }

  /** So much waits that nothing is to be kept in addition. */
  get isPressed(): boolean {
    return this.#next.length < READ_BYTES;
  }

  /** @param allowHalfOpen false = the connection ends when the server ends it, as whoever keeps it for later needs */
  open(allowHalfOpen: boolean): Socket {
    const callback = (count: number, memory: Uint8Array): boolean => {
      socket.emit('data', Buffer.from(memory.subarray(0, count)));
      const most = this.#onRead(count);
      if (most !== this.#next.length) this.#next = this.#memory.subarray(0, most);
      return true;
    };
    const options = { ...this.#options, allowHalfOpen, onread: { buffer: () => this.#next, callback } };
    const socket: Socket = this.#isTls ? connectTls(options) : connect(options);
    return socket;
  }
}
