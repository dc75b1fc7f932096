import { type ServiceEntry, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Inbox } from './inbox.js';
import { freeSocket, openSocketTo } from './socket.js';

export interface SocketParts {
  readonly socket: string;
  /** Name of the socket in the configuration. */
  readonly key: string;
  /** Who may connect: three octal digits. */
  readonly mode: string;
  readonly maxMessageBytes: number;
  readonly service: {
    entry(): ServiceEntry;
    /** Ends the streams. */
    close(): void;
  };
  readonly inbox: Inbox;
  readonly onRefused: () => void;
  readonly stack: StopStack;
  readonly log: Logger;
}

/**
 * Serves libraries on a Unix socket until `stack` stops; what they sent by then is looked at.
 * @returns the address for gRPC
 * @throws SentinelError where the socket cannot be had
 */
export async function serveSocket(parts: SocketParts): Promise<string> {
  const { socket, key, mode, maxMessageBytes, service, inbox, onRefused, stack, log } = parts;
  await freeSocket(socket, key);
  const server = await startGrpcServer({
    ...{ address: `unix:${socket}`, addressKey: key, tls: null, insecure: false },
    ...{ tokens: { operator: '', service: '' }, services: [service.entry()], maxMessageBytes, onRefused, log },
  });
  openSocketTo(socket, mode);
  stack.push('socket', async () => {
    service.close();
    await server.stop();
    await inbox.idle();
  });
  return server.address;
}
