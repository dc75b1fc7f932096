/**
 * One writer per folder, however it ends. A name in the kernel's abstract socket space says who it is, but is private to a
 * network namespace; flock on the folder itself also holds between containers. Epochs alone would not do: a writer that
 * lost the log without noticing would still write into the other's files before its head swap fails.
 */
import { spawnSync } from 'node:child_process';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { LockedError } from '../errors.js';
import { isErrno } from './errno.js';

const ANSWER_MS = 1000;

/** Exit status of flock(1) where somebody else holds the lock. */
const HELD = 1;

export class DirectoryLock implements AsyncDisposable {
  readonly #server: Server | undefined;
  readonly #folder: FileHandle | undefined;

  private constructor(server?: Server, folder?: FileHandle) {
    this.#server = server;
    this.#folder = folder;
  }

  /** Throws LockedError naming the process that holds the folder. */
  static async acquire(directory: string): Promise<DirectoryLock> {
    if (process.platform !== 'linux') return new DirectoryLock();
    const { dev, ino } = await stat(directory);
    const name = `\0sentinel-audit-ledger/${dev}/${ino}`;
    const server = await listen(name).catch(async (error: unknown) => {
      throw isErrno(error, 'EADDRINUSE') ? lockedBy(directory, `process ${await holder(name)}`) : error;
    });
    try {
      return new DirectoryLock(server, await lockFolder(directory));
    } catch (error) {
      await closed(server);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder?.close();
    if (this.#server !== undefined) await closed(this.#server);
  }
}

/**
 * flock(1) locks the open file that it inherits, and the lock stays with that file when the command has ended. Where there
 * is no such command, the socket's name has to do.
 */
async function lockFolder(directory: string): Promise<FileHandle> {
  const folder = await open(directory, 'r');
  const { status } = spawnSync('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', folder.fd] });
  if (status !== HELD) return folder;
  await folder.close();
  throw lockedBy(directory, 'a process of another container');
}

function lockedBy(directory: string, holder: string): LockedError {
  return new LockedError(`${directory} is being written by ${holder}: stop it, or give this ledger its own data_dir`);
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
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
