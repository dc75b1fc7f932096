import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resetSocket } from './reset-socket.js';
import { Gate, Lane } from './tcp-lane.js';

/** From clients to the target, or back. */
export type Direction = 'up' | 'down';

const BOTH: readonly Direction[] = ['up', 'down'];

export interface Slowness {
  /** Every chunk is delayed by so many milliseconds. */
  readonly delayMs?: number;
  /** Of each connection. */
  readonly bytesPerSecond?: number;
}

/** A TCP proxy on loopback that behaves as badly as it is told. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Connections open now. */
  readonly connections: number;
  /** Bytes that came from clients and from the target so far. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Resets every open connection; new ones are accepted. */
  cut(): void;
  /** Resets every open connection and every new one, until `pass`. */
  refuse(): void;
  /** A black hole: bytes and ends stay where they are, on new connections too, until `pass`; nobody is told. One direction makes it half open. */
  stall(...directions: readonly Direction[]): void;
  /** Black holes are all connections that are open now, until `pass`; new ones are honest. */
  freeze(): void;
  /** Delays bytes, in both directions where none is named. */
  slow(how: Slowness, ...directions: readonly Direction[]): void;
  /** Back to an honest proxy. Stalled bytes go on. */
  pass(): void;
  close(): Promise<void>;
}

/** Listens on a free port and forwards to `target` (`host:port` or a port of this machine). */
export async function tcpProxy(target: string | number): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(
    `tcp://${typeof target === 'number' ? `127.0.0.1:${target}` : target}`,
  );
  const lanes = { up: new Lane(), down: new Lane() };
  const open = new Set<Socket>();
  const gates = new Map<Socket, Gate>();
  let refusing = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(targetPort), allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.setNoDelay(true).on('error', () => {});
    }
    const gate = new Gate();
    gates.set(client, gate);
    upstream.once('close', () => gates.delete(client));
    void lanes.up.carry(client, upstream, gate);
    void lanes.down.carry(upstream, client, gate);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const chosen = (directions: readonly Direction[]): Lane[] =>
    (directions.length === 0 ? BOTH : directions).map((direction) => lanes[direction]);
  const cut = (): void => {
    for (const socket of open) resetSocket(socket);
  };
  const pass = (): void => {
    refusing = false;
    for (const lane of chosen([])) lane.pass();
    for (const gate of gates.values()) gate.open();
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    pass();
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    get connections() {
      return open.size / 2;
    },
    get bytes() {
      return { up: lanes.up.bytes, down: lanes.down.bytes };
    },
    cut,
    refuse: () => {
      refusing = true;
      cut();
    },
    stall: (...directions) => {
      for (const lane of chosen(directions)) lane.stall();
    },
    freeze: () => {
      for (const gate of gates.values()) gate.shut();
    },
    slow: ({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }, ...directions) => {
      for (const lane of chosen(directions)) lane.slow(delayMs, bytesPerSecond);
    },
    pass,
    close,
    [Symbol.asyncDispose]: close,
  };
}
