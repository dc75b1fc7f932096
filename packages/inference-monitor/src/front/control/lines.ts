import type { Socket } from 'node:net';

/** A longer line ends the connection. */
const MAX_LINE_BYTES = 262_144;

/** Calls `take` with each JSON object that comes, one a line. */
export function readLines<Message>(socket: Socket, take: (message: Message) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_BYTES) socket.destroy();
    for (const line of lines) {
      try {
        take(JSON.parse(line) as Message);
      } catch {
        socket.destroy();
      }
    }
  });
}

export function writeLine(socket: Socket, message: unknown): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}
