import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually, freePort } from '@sentinel/test-kit';
import { settingsFor } from '../testing/front-in-process.js';
import { Sidecar } from '../testing/sidecar.js';
import { ControlClient } from './control/control-client.js';
import { controlPath } from './control/messages.js';
import { FrontSupervisor } from './supervise.js';

/** Answers "fine", after a while where the path says so; `came` has the requests of that kind. */
async function slowUpstream() {
  const came: string[] = [];
  const server = createServer((request, response) => {
    const { url = '' } = request;
    if (url === '/slow') came.push(url);
    setTimeout(() => response.end('fine'), url === '/slow' ? 1_000 : 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return { upstream_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, came };
}

const upstream = async (): Promise<string> => (await slowUpstream()).upstream_url;

/** One request on a connection of its own; the answer's text, or the code of the error. */
function ask(address: string, path = '/'): Promise<string> {
  return new Promise((resolve) => {
    const request = get(`http://${address}${path}`, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text)).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}

/** Waits until nobody listens there any more. */
async function refused(address: string): Promise<void> {
  const what = 'nobody listens';
  await eventually(async () => (await ask(address)) === 'ECONNREFUSED', { what, timeoutMs: 60_000 });
}

/** Asks all the time until it is stopped. */
function asking(address: string): { stop(): Promise<string[]> } {
  const answers: string[] = [];
  let going = true;
  const loop = (async () => {
    while (going) answers.push(await ask(address));
  })();
  return {
    stop: async () => {
      going = false;
      await loop;
      return answers;
    },
  };
}

test('a sidecar that listens on every interface is reached over IPv4 and IPv6', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const everywhere = { listen_address: '[::]:0' };
  const config = { upstream_url: await upstream(), ...everywhere, metrics: everywhere };
  const { http = '', metrics = '' } = await sidecar.start(config);
  assert.match(http, /^\[::\]:\d+$/);
  for (const host of ['127.0.0.1', '[::1]']) {
    assert.equal(await ask(http.replace('[::]', host)), 'fine');
    assert.match(await ask(metrics.replace('[::]', host), '/metrics'), /^sentinel_inference_front_serving 1$/m);
  }
});

test('the analyser is killed, stopped and started again: the front is kept, and no request is lost', async () => {
  const config = { upstream_url: await upstream() };
  const sidecar = new Sidecar(temporaryFolder());
  const { http = '' } = await sidecar.start(config);
  const pid = await sidecar.frontPid();
  const requests = asking(http);
  await sidecar.kill('SIGKILL');
  await delay(200);
  assert.equal((await sidecar.start(config)).http, http);
  sidecar.signal('SIGSTOP');
  await delay(200);
  sidecar.signal('SIGCONT');
  assert.equal(await sidecar.kill('SIGTERM'), 0);
  await delay(200);
  await sidecar.start(config);
  const answers = await requests.stop();
  assert.ok(answers.length > 20);
  assert.deepEqual([...new Set(answers)], ['fine']);
  assert.equal(await sidecar.frontPid(), pid);
  assert.match(sidecar.output, /a front that was running is kept/);
});

test('a front that is killed costs what was in flight; what comes next waits for the new one', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const { upstream_url, came } = await slowUpstream();
  const { http = '' } = await sidecar.start({ upstream_url });
  const pid = await sidecar.frontPid();
  const lost = ask(http, '/slow');
  // Before the front has taken it, it would wait for the new one.
  await until('it is in flight', () => came.length === 1);
  process.kill(pid, 'SIGKILL');
  assert.equal(await lost, 'ECONNRESET');
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(http)));
  assert.deepEqual([...new Set(answers)], ['fine']);
  assert.notEqual(await sidecar.frontPid(), pid);
  await until('the analyser says so', () => /the front serves again/.test(sidecar.output));
});

test('a front that hangs is ended, and started again', async () => {
  const folder = temporaryFolder();
  const settings = settingsFor(await upstream(), { socket: join(folder, 's.sock') });
  const supervisor = new FrontSupervisor(settings, silentLogger(), { tickMs: 300 });
  const address = await supervisor.start();
  after(() => supervisor.drain());
  const client = await ControlClient.connect(controlPath(settings.socket), () => undefined);
  assert.ok(client !== null);
  assert.equal(await ask(address), 'fine');
  process.kill(client.hello.pid, 'SIGSTOP');
  const waiting = ask(address);
  await client.closed;
  // Nobody had taken its connection yet.
  assert.equal(await waiting, 'fine');
  await until('it serves again', () => supervisor.serving);
  assert.deepEqual([await ask(address), supervisor.restarts], ['fine', 1]);
});

test("a front whose keeper ended with it is started anew where it was, also on a port of the system's choice", async () => {
  const settings = settingsFor(await upstream(), { socket: join(temporaryFolder(), 's.sock') });
  const supervisor = new FrontSupervisor(settings, silentLogger(), { absentMs: 0 });
  const address = await supervisor.start();
  after(() => supervisor.drain());
  const client = await ControlClient.connect(controlPath(settings.socket), () => undefined);
  client?.order({ kind: 'drain' });
  await until('it is started anew', () => supervisor.restarts === 1 && supervisor.serving);
  assert.equal(await ask(address), 'fine');
});

test('without analyser and keeper a front that dies is started anew by the next analyser', async () => {
  const config = { upstream_url: await upstream() };
  const sidecar = new Sidecar(temporaryFolder());
  await sidecar.start(config);
  const front = await sidecar.front();
  await sidecar.kill('SIGKILL');
  front?.order({ kind: 'drain' });
  await front?.closed;
  const { http = '' } = await sidecar.start(config);
  assert.equal(await ask(http), 'fine');
});

test('other settings replace the front: its requests end, and none is refused', async () => {
  const { upstream_url, came } = await slowUpstream();
  const sidecar = new Sidecar(temporaryFolder());
  const listen_address = `127.0.0.1:${await freePort()}`;
  await sidecar.start({ upstream_url, listen_address });
  const pid = await sidecar.frontPid();
  await sidecar.kill('SIGTERM');
  const slow = ask(listen_address, '/slow');
  await until('it is in flight', () => came.length === 1);
  const requests = asking(listen_address);
  await sidecar.start({ upstream_url, listen_address, replica_name: 'other' });
  assert.equal(await slow, 'fine');
  assert.deepEqual([...new Set(await requests.stop())], ['fine']);
  assert.notEqual(await sidecar.frontPid(), pid);
  assert.match(sidecar.output, /the front has other settings: it is replaced/);
});

test('gRPC has a port of its own, which survives its front and a replacement too', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const upstream_url = await upstream();
  const listen_address = `127.0.0.1:${await freePort()}`;
  const grpc_listen_address = `127.0.0.1:${await freePort()}`;
  await sidecar.start({ upstream_url, grpc_listen_address, listen_address });
  const reaches = async () => {
    const session = connect(`http://${grpc_listen_address}`);
    await once(session, 'remoteSettings');
    session.destroy();
  };
  await reaches();
  process.kill(await sidecar.frontPid(), 'SIGKILL');
  await reaches();
  await sidecar.kill('SIGKILL');
  await sidecar.start({ upstream_url, grpc_listen_address, listen_address, replica_name: 'other' });
  await reaches();
});

test('SIGTERM to the front: what is in flight ends, then the process', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const { upstream_url, came } = await slowUpstream();
  const { http = '' } = await sidecar.start({ upstream_url });
  const pid = await sidecar.frontPid();
  await sidecar.kill('SIGKILL');
  const slow = ask(http, '/slow');
  await until('it is in flight', () => came.length === 1);
  process.kill(pid, 'SIGTERM');
  assert.equal(await slow, 'fine');
  await until('its end', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
  // Its keeper, which holds the port too, ends a moment after it.
  await refused(http);
});

test('a front that nobody could find any more ends itself', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const { http = '' } = await sidecar.start({ upstream_url: await upstream() });
  await sidecar.kill('SIGKILL');
  rmSync(`${sidecar.socket}.front`);
  await refused(http);
});

test('without an upstream it is well and says that no traffic passes', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const { metrics = '' } = await sidecar.start({ framework: 'vllm', listen_address: '127.0.0.1:8000' });
  assert.equal((await fetch(`http://${metrics}/metrics`)).status, 200);
  assert.match(sidecar.output, /no traffic passes: set inference_monitor\.listen_address/);
  assert.equal(await sidecar.front(), null);
});

test('an upstream with a path is refused by its name', async () => {
  const sidecar = new Sidecar(temporaryFolder());
  await assert.rejects(sidecar.start({ upstream_url: 'http://h:1/v1' }), /inference_monitor\.upstream_url/);
});

test("a gRPC port that is the server's own is refused by its name", async () => {
  const sidecar = new Sidecar(temporaryFolder());
  const ports = { upstream_url: 'http://h:1', grpc_listen_address: '127.0.0.1:8001', upstream_grpc: 'localhost:8001' };
  await assert.rejects(sidecar.start(ports), /inference_monitor\.grpc_listen_address/);
});
