import { createServer } from 'node:net';

/** Below Linux's range for outgoing connections (32768…), so that a port stays free while its owner is restarted. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** A loopback port that nothing listens on, and that a restarted service may take again. */
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
