import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

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
  /** Bytes stay where they are, in both directions and on new connections too, until `pass`; nobody is told. */
  stall(): void;
  /** Every chunk is delayed by so many milliseconds, in each direction. */
  slow(delayMs: number): void;
  /** Back to an honest proxy. Stalled bytes go on. */
  pass(): void;
  close(): Promise<void>;
}

/** State that all connections of one proxy look at for every chunk. */
interface Conduct {
  delayMs: number;
  refusing: boolean;
  /** Pending while stalled. */
  gate: PromiseWithResolvers<void> | null;
}

/** Listens on a free port and forwards to `target` (`host:port` or a port of this machine). */
export async function tcpProxy(target: string | number): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(
    `tcp://${typeof target === 'number' ? `127.0.0.1:${target}` : target}`,
  );
  const conduct: Conduct = { delayMs: 0, refusing: false, gate: null };
  const open = new Set<Socket>();
  const bytes = { up: 0, down: 0 };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (conduct.refusing) return void client.resetAndDestroy();
    const upstream = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(targetPort), allowHalfOpen: true });
    open.add(client);
    client.once('close', () => open.delete(client));
    for (const [from, to, direction] of [
      [client, upstream, 'up'],
      [upstream, client, 'down'],
    ] as const) {
      from.setNoDelay(true).on('error', () => to.destroy());
      from.once('close', () => to.destroySoon());
      from.on('data', ({ length }: Buffer) => {
        bytes[direction] += length;
      });
      void forward(from, to, conduct);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const pass = (): void => {
    Object.assign(conduct, { delayMs: 0, refusing: false });
    conduct.gate?.resolve();
    conduct.gate = null;
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
      return open.size;
    },
    bytes,
    cut,
    refuse: () => {
      conduct.refusing = true;
      cut();
    },
    stall: () => {
      conduct.gate ??= Promise.withResolvers();
    },
    slow: (delayMs) => {
      conduct.delayMs = delayMs;
    },
    pass,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Copies chunk by chunk; a reader that is slow slows the writer. */
async function forward(from: Socket, to: Socket, conduct: Conduct): Promise<void> {
  try {
    for await (const chunk of from.iterator({ destroyOnReturn: false })) {
      if (conduct.delayMs > 0) await delay(conduct.delayMs);
      while (conduct.gate !== null) await conduct.gate.promise;
      if (!to.write(chunk)) await once(to, 'drain', { signal: AbortSignal.timeout(60_000) });
    }
    to.end();
  } catch {
    to.destroy();
  }
}
