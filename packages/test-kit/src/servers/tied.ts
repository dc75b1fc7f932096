import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Asks for the end, waits for it up to 5 s, then forces it and removes the folder. */
const WATCH = `read -r _
kill -s "$1" "$2" 2>/dev/null
n=0
while kill -0 "$2" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
kill -9 "$2" 2>/dev/null
rm -rf "$3"`;

export interface Tie {
  /** Ends the server and removes its folder. */
  release(): Promise<void>;
  /** The server has ended by itself: nothing is left to be done. */
  drop(): void;
}

/**
 * Ties a server to this process: when this process ends, however it ends, the server does and its folder is removed. A small shell
 * waits for the end of a pipe that this process holds.
 */
export function tie(server: { pid: number; folder: string; signal: string }): Tie {
  const { pid, folder, signal } = server;
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'sh', signal, String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  watcher.unref();
  unrefPipe(watcher);
  return {
    release: async () => {
      if (watcher.exitCode !== null || watcher.signalCode !== null) return;
      watcher.ref();
      const gone = once(watcher, 'exit');
      watcher.stdin?.end();
      await gone;
    },
    drop: () => void watcher.kill('SIGKILL'),
  };
}

function unrefPipe({ stdin }: ChildProcess): void {
  if (stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
}
