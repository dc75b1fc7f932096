import type { Socket } from 'node:net';

/** Resets a connection. One whose end was just sent cannot be: Node would call it closed and keep it, and with it the process. */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
