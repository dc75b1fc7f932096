import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from './eventually.js';
import { tcpProxy } from './tcp-proxy.js';

let echo: Server;
let echoPort: number;

before(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).pipe(socket)).listen(
    0,
    '127.0.0.1',
  );
  await once(echo, 'listening');
  echoPort = (echo.address() as AddressInfo).port;
});
after(() => void echo.close());

interface Caller extends Disposable {
  readonly socket: Socket;
  received(): string;
}

async function call(port: number): Promise<Caller> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, received: () => text, [Symbol.dispose]: () => socket.destroy() };
}

/** Unlike `once`, it takes a reset for an end. */
const closing = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));

const arrives = (caller: Caller, text: string): Promise<unknown> =>
  eventually(() => caller.received() === text, { what: `${text} comes back` });

test('an honest proxy passes everything, the end too', async () => {
  await using proxy = await tcpProxy(echoPort);
  using caller = await call(proxy.port);
  const all = 'x'.repeat(2_000_000);
  caller.socket.end(all);
  await once(caller.socket, 'end');
  assert.equal(caller.received(), all);
  await eventually(() => proxy.connections === 0, { what: 'the connection is gone' });
});

test('cut resets what is open and accepts what is new', async () => {
  await using proxy = await tcpProxy(`localhost:${echoPort}`);
  using first = await call(proxy.port);
  first.socket.write('a');
  await arrives(first, 'a');
  const closed = closing(first.socket);
  proxy.cut();
  await closed;
  using second = await call(proxy.port);
  second.socket.write('b');
  await arrives(second, 'b');
});

test('while it stalls nothing arrives and nobody is told; afterwards everything does', async () => {
  await using proxy = await tcpProxy(echoPort);
  using caller = await call(proxy.port);
  proxy.stall();
  caller.socket.write('later');
  await delay(100);
  assert.equal(caller.received(), '');
  assert.equal(caller.socket.closed, false);
  proxy.pass();
  await arrives(caller, 'later');
});

test('slow delays each direction', async () => {
  await using proxy = await tcpProxy(echoPort);
  using caller = await call(proxy.port);
  proxy.slow({ delayMs: 60 });
  const start = performance.now();
  caller.socket.write('slowly');
  await arrives(caller, 'slowly');
  assert.ok(performance.now() - start >= 119);
});

test('slow in one direction leaves the other alone', async () => {
  const delayMs = 800;
  /** @returns after how long it had gone up */
  const goesUp = async (): Promise<number> => {
    await using proxy = await tcpProxy(echoPort);
    using caller = await call(proxy.port);
    proxy.slow({ delayMs }, 'down');
    const start = performance.now();
    caller.socket.write('slowly');
    await eventually(() => proxy.bytes.down > 0, { what: 'it went up', intervalMs: 2 });
    const ms = performance.now() - start;
    await arrives(caller, 'slowly');
    assert.ok(performance.now() - start >= delayMs - 1);
    return ms;
  };
  // A machine that stands still makes one slow; a delay would make them all.
  const took: number[] = [];
  while (took.length < 5 && !took.some((ms) => ms < delayMs)) took.push(await goesUp());
  assert.ok(Math.min(...took) < delayMs, `${took.join(', ')} ms`);
});

test('a narrow link passes so many bytes a second', async () => {
  await using proxy = await tcpProxy(echoPort);
  using caller = await call(proxy.port);
  proxy.slow({ bytesPerSecond: 100_000 }, 'up');
  const start = performance.now();
  caller.socket.end('x'.repeat(30_000));
  await once(caller.socket, 'end');
  assert.equal(caller.received().length, 30_000);
  assert.ok(performance.now() - start >= 299);
});

test('half open: what goes up arrives, what comes down does not, and nobody is told of an end', async () => {
  await using proxy = await tcpProxy(echoPort);
  using caller = await call(proxy.port);
  caller.socket.write('a');
  await arrives(caller, 'a');
  proxy.stall('down');
  caller.socket.end('b');
  await eventually(() => proxy.bytes.down === 2, { what: 'the echo answered' });
  await delay(100);
  assert.equal(caller.received(), 'a');
  assert.equal(caller.socket.readableEnded, false);
  const closed = closing(caller.socket);
  proxy.pass();
  await arrives(caller, 'ab');
  await closed;
});

test('in a black hole the target does not hear that the caller left', async () => {
  await using proxy = await tcpProxy(echoPort);
  const caller = await call(proxy.port);
  await eventually(() => proxy.connections === 1, { what: 'it is connected' });
  proxy.stall();
  caller.socket.resetAndDestroy();
  await eventually(() => proxy.connections < 1, { what: 'the caller has left' });
  await delay(100);
  assert.equal(proxy.connections, 0.5, 'the side of the target is open');
  proxy.pass();
  await eventually(() => proxy.connections === 0, { what: 'both sides are closed' });
});

test('refuse resets new connections until it passes again', async () => {
  await using proxy = await tcpProxy(echoPort);
  proxy.refuse();
  await closing(connect(proxy.port, '127.0.0.1').on('error', () => {}));
  proxy.pass();
  using caller = await call(proxy.port);
  caller.socket.write('again');
  await arrives(caller, 'again');
});

test('a target that is away closes the caller', async () => {
  await using target = await tcpProxy(1);
  await closing(connect(target.port, '127.0.0.1').on('error', () => {}));
});

test('frozen connections stand still while new ones are served; afterwards they go on', async () => {
  await using proxy = await tcpProxy(echoPort);
  using old = await call(proxy.port);
  old.socket.write('a');
  await arrives(old, 'a');
  proxy.freeze();
  using fresh = await call(proxy.port);
  fresh.socket.write('b');
  await arrives(fresh, 'b');
  old.socket.write('c');
  await delay(100);
  assert.equal(old.received(), 'a');
  proxy.pass();
  await arrives(old, 'ac');
});
