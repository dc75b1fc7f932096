import { spawnSync } from 'node:child_process';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { SentinelError } from './errors.js';

/** A holder that does not answer within this stands still: then its process id is not said. */
const ANSWER_MS = 5_000;
/** Exit status of flock(1) where somebody else holds the lock. */
const HELD = 1;
/** Kept from the garbage collector, which would close the file and so give up the lock of an owner that forgot it. */
const LOCKED = new Set<FileHandle>();

/** Held until released or until the process ends, however it ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes a directory for this process alone. A name in Linux' abstract socket space (unix(7)) says who has it, but is private to
 * a network namespace; flock(2) on the directory itself also holds between containers that share it. The kernel frees both with
 * the process, so that a kill -9 leaves nothing stale behind.
 * @throws SentinelError FAILED_PRECONDITION, naming the process that has it
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const { dev, ino } = await stat(dir);
  const name = `\0sentinel/${dev}/${ino}`;
  const server = await takeName(name, dir);
  try {
    const folder = await lockFile(dir);
    return {
      release: async () => {
        LOCKED.delete(folder);
        await folder.close();
        await closed(server);
      },
    };
  } catch (error) {
    await closed(server);
    throw error;
  }
}

async function takeName(name: string, dir: string): Promise<Server> {
  try {
    return await listen(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw taken(dir, `process ${await holder(name)}`, error);
  }
}

function listen(name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Whoever asks learns the holder's process id.
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(String(process.pid));
    });
    server.once('error', reject);
    server.listen({ path: name, exclusive: true }, () => resolve(server.unref()));
  });
}

function holder(name: string): Promise<string> {
  return new Promise((resolve) => {
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

/**
 * flock(1) locks the open file that it inherits, and the lock stays with that file when the command has ended. Where there
 * is no such command, the name has to do.
 */
async function lockFile(dir: string): Promise<FileHandle> {
  const folder = await open(dir, 'r');
  const { status } = spawnSync('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', folder.fd] });
  if (status !== HELD) {
    LOCKED.add(folder);
    return folder;
  }
  await folder.close();
  throw taken(dir, 'a process of another container', null);
}

function taken(dir: string, who: string, cause: unknown): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'CONFLICT',
    message: `another process uses ${dir} (${who})`,
    hint: 'Stop it first, or give this one a folder of its own.',
    cause,
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
