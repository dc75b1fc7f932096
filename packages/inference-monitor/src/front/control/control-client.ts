import { createConnection, type Socket } from 'node:net';
import { readLines, writeLine } from './lines.js';
import type { FromFront, ToFront } from './messages.js';

/** Until a front that runs has said hello: one that only stands still for a while is not to be taken for gone. */
const HELLO_MS = 10_000;

export type Hello = Extract<FromFront, { kind: 'hello' }>;

/** The analyser's side of the control socket. */
export class ControlClient {
  readonly hello: Hello;
  readonly #socket: Socket;
  readonly closed: Promise<void>;

  private constructor(hello: Hello, socket: Socket) {
    this.hello = hello;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.once('close', () => resolve());
    });
  }

  /** @returns null where no front listens on the path */
  static connect(path: string, take: (message: FromFront) => void): Promise<ControlClient | null> {
    return new Promise((resolve) => {
      const socket = createConnection(path);
      const timer = setTimeout(() => socket.destroy(), HELLO_MS);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(null);
      });
      readLines<FromFront>(socket, (message) => {
        if (message.kind !== 'hello') {
          take(message);
          return;
        }
        clearTimeout(timer);
        resolve(new ControlClient(message, socket));
      });
    });
  }

  order(order: ToFront): void {
    writeLine(this.#socket, order);
  }

  close(): void {
    this.#socket.destroy();
  }
}
