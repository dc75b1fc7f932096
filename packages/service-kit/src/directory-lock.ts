import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { SentinelError } from './errors.js';

/** Held until released or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes a directory for this process alone. The lock is a socket in Linux' abstract name space (unix(7)): taking it is atomic and
 * the kernel frees it with the process, so that a kill -9 leaves nothing stale behind.
 * @throws SentinelError FAILED_PRECONDITION while another process has it
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const server = createServer((socket) => socket.destroy());
  const name = `\0sentinel-${createHash('sha256').update(realpathSync(dir)).digest('hex')}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new SentinelError({
          code: 'FAILED_PRECONDITION',
          reason: 'CONFLICT',
          message: `another process uses ${dir}`,
          hint: 'Stop it first, or give this one a folder of its own.',
          cause,
        }),
      );
    });
    server.listen({ path: name, exclusive: true }, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
