import { unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { readLines, writeLine } from './lines.js';
import type { FromFront, Say, ToFront } from './messages.js';

/** Sentences that are kept for an analyser that is away. */
const MAX_KEPT = 64;

/** The front's side of the control socket. */
export class ControlServer {
  readonly #path: string;
  readonly #hello: FromFront;
  readonly #order: (order: ToFront) => Promise<void>;
  readonly #sockets = new Set<Socket>();
  readonly #kept: FromFront[] = [];
  #server: Server | null = null;

  constructor(path: string, hello: FromFront, order: (order: ToFront) => Promise<void>) {
    this.#path = path;
    this.#hello = hello;
    this.#order = order;
  }

  /** True while somebody is connected. */
  get watched(): boolean {
    return this.#sockets.size > 0;
  }

  listen(): Promise<void> {
    try {
      // What a killed front left: two never have one path, since the first holds the ports.
      unlinkSync(this.#path);
    } catch {
      // There was none.
    }
    const server = createServer((socket) => this.#meet(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen({ path: this.#path, readableAll: false }, () => resolve());
    });
  }

  say(level: Say, text: string): void {
    const said: FromFront = { kind: 'said', level, text };
    if (this.watched) this.tell(said);
    else if (this.#kept.push(said) > MAX_KEPT) this.#kept.shift();
  }

  tell(message: FromFront): void {
    for (const socket of this.#sockets) writeLine(socket, message);
  }

  /** Gives up the path; who is connected stays so. */
  close(): void {
    this.#server?.close();
    this.#server = null;
  }

  end(): void {
    this.close();
    for (const socket of this.#sockets) socket.end();
  }

  #meet(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    writeLine(socket, this.#hello);
    for (const said of this.#kept.splice(0)) writeLine(socket, said);
    readLines<ToFront>(socket, (order) => {
      void this.#order(order)
        .catch((error: unknown) => this.say('error', `an order failed: ${String(error)}`))
        .finally(() => writeLine(socket, { kind: 'done' } satisfies FromFront));
    });
  }
}
