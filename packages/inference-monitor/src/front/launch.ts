import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { controlPath } from './control/messages.js';
import type { FrontSettings } from './settings.js';

/** File descriptor of the first listening socket in the front; that of gRPC follows. */
export const FIRST_SOCKET = 3;

const PROGRAM = fileURLToPath(new URL('./front-main.js', import.meta.url));

/** Small young space: what passes through dies young, and memory is what a sidecar has least of. */
const NODE_FLAGS = [
  ...['--max-semi-space-size=2', '--max-old-space-size=96', '--expose-gc'],
  '--title=sentinel-inference-front',
];

/**
 * Holds the listening sockets, so that connections wait instead of being refused while a front that died is started again. A shell does, since
 * Node cannot hold such a socket without accepting. Status 0 says that the front was told to end.
 */
const KEEPER = `while :; do
  begun=$(date +%s)
  "$@" && exit 0
  [ $(($(date +%s) - begun)) -lt 5 ] && sleep 1
done`;

/** How a front with these settings is started. */
export function commandOf(settings: FrontSettings): string[] {
  return [process.execPath, ...NODE_FLAGS, PROGRAM, JSON.stringify(settings)];
}

/**
 * Starts a front as a process that outlives this one. It takes over the listening sockets; here they can be closed.
 * @param command as of `commandOf`
 */
export function launch(command: readonly string[], servers: readonly Server[], socket: string): void {
  // Its own words go over the control socket. Here goes what Node says when it dies.
  const errors = openSync(`${controlPath(socket)}.log`, 'w', 0o600);
  const child = spawn('/bin/sh', ['-c', KEEPER, 'sentinel-inference-keeper', ...command], {
    detached: true,
    stdio: ['ignore', 'ignore', errors, ...servers.map(descriptorOf)],
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(errors);
}

/** Node has no documented name for it, and no other way to give a child a listening socket that it can be started with again. */
function descriptorOf(server: Server): number {
  const fd = (server as unknown as { readonly _handle: { readonly fd: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) throw new Error('a server that does not listen has no socket to hand over');
  return fd;
}
