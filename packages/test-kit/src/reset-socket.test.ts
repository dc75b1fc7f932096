import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { eventually } from './eventually.js';
import { resetSocket } from './reset-socket.js';

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

for (const ends of [false, true])
  test(`a connection is let go of${ends ? ' at the moment at which it ends' : ''}`, async () => {
    const server = createServer((peer) => void peer.on('error', () => {}).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    if (ends) socket.end('a');
    resetSocket(socket);
    server.close();
    await eventually(() => sockets() === 0, { what: 'no socket is left on either side' });
    assert.ok(socket.destroyed);
  });
