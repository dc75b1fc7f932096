import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after } from 'node:test';

/** An upstream that keeps what it gets, byte by byte, and answers as it is told. */
export class RawServer {
  readonly sockets: Socket[] = [];
  readonly #received: Buffer[] = [];
  readonly #server: Server;
  ends = 0;
  closes = 0;

  constructor(onData: (socket: Socket, received: Buffer) => void = () => undefined) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('data', (bytes) => {
        this.#received.push(bytes);
        onData(socket, this.received);
      });
      socket.on('end', () => {
        this.ends += 1;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.closes += 1;
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    after(() => this.close());
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

/** A client that keeps what it gets. */
export class RawClient {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  ended = false;
  closed = false;
  error = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => this.#received.push(bytes));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    after(() => socket.destroy());
    return new RawClient(socket);
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Sends in pieces that arrive as such. */
  async send(bytes: Buffer | string, pieceBytes = Number.POSITIVE_INFINITY): Promise<void> {
    const all = Buffer.from(bytes);
    if (pieceBytes >= all.length) {
      this.socket.write(all);
      return;
    }
    for (let at = 0; at < all.length; at += pieceBytes) {
      this.socket.write(all.subarray(at, at + pieceBytes));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
