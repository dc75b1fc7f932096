/**
 * One writer per folder, by a name in the kernel's abstract socket space: taken atomically, gone with the process however
 * it ends. Where there is no such space, or across containers, epochs decide: the second writer's head swap is what counts.
 */
import { stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { LockedError } from '../errors.js';
import { isErrno } from './files.js';

const ANSWER_MS = 1000;

export class DirectoryLock implements AsyncDisposable {
  readonly #server: Server | undefined;

  private constructor(server: Server | undefined) {
    this.#server = server;
  }

  /** Throws LockedError naming the process that holds the folder. */
  static async acquire(directory: string): Promise<DirectoryLock> {
    if (process.platform !== 'linux') return new DirectoryLock(undefined);
    const { dev, ino } = await stat(directory);
    const name = `\0sentinel-audit-ledger/${dev}/${ino}`;
    try {
      return new DirectoryLock(await listen(name));
    } catch (error) {
      if (!isErrno(error, 'EADDRINUSE')) throw error;
      throw new LockedError(
        `${directory} is being written by process ${await holder(name)}: stop it, or give this ledger its own data_dir`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function listen(name: string): Promise<Server> {
  return await new Promise((resolve, reject) => {
    // Whoever asks learns the holder's process id.
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(String(process.pid));
    });
    server.once('error', reject);
    server.listen(name, () => resolve(server.unref()));
  });
}

async function holder(name: string): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect(name);
    let pid = '';
    const finish = (): void => {
      socket.destroy();
      resolve(pid === '' ? '(unknown)' : pid);
    };
    socket.setTimeout(ANSWER_MS, finish);
    socket.on('data', (bytes) => {
      pid += bytes.toString();
    });
    socket.on('end', finish);
    socket.on('error', finish);
  });
}
