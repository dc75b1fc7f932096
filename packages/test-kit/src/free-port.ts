import { createServer } from 'node:net';

/** Below Linux' range for outgoing connections (32768 and up), so that a port stays free while its owner is started again. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** A loopback port that nothing listens on. Where a server can take port 0 itself, that is better: nobody can take it in between. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
