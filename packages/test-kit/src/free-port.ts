import { createServer, type ListenOptions, type Server } from 'node:net';

/** Below Linux' range for outgoing connections (32768 and up), so that a port stays free while its owner is started again. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * A loopback port that nothing listens on, and that no test process is given again before this one ends. Where a server can take
 * port 0 itself, that is better: a process that is no test could take it in between.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!(await reserve(port))) continue;
    const server = await listen({ port, host: '127.0.0.1' });
    if (server === null) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** By a name in Linux' abstract socket space (unix(7)), which the kernel frees with the process. */
async function reserve(port: number): Promise<boolean> {
  const held = await listen({ path: `\0sentinel-test/port/${port}` });
  held?.unref();
  return held !== null;
}

/** Null where somebody else listens there. */
function listen(where: ListenOptions): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ ...where, exclusive: true }, () => resolve(server));
  });
}
