import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { eventually, makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import { parseAddress } from './address.js';
import { SentinelError } from './errors.js';
import { type HttpPortOptions, openHttpPort, requestUrl } from './http-port.js';
import { silentLogger } from './logging.js';

const OPTIONS: HttpPortOptions = {
  address: '127.0.0.1:0',
  addressKey: 'audit_ledger.http.listen_address',
  tls: null,
  listener: (_request, response) => response.end('served'),
  log: silentLogger(),
};

async function serialOf(address: string): Promise<string> {
  const socket = connect({ ...parseAddress(address), rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('a renewed certificate is shown without a restart', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const [first, renewed] = [await authority.issue({ name: 'one' }), await authority.issue({ name: 'two' })];
  const tls = { files: first, keyPrefix: 'audit_ledger.tls', mutual: false };
  const port = await openHttpPort({ ...OPTIONS, tls, reloadIntervalMs: 20 });
  try {
    const before = await serialOf(port.address);
    copyFileSync(renewed.certFile, first.certFile);
    copyFileSync(renewed.keyFile, first.keyFile);
    await eventually(async () => (await serialOf(port.address)) !== before, { what: 'the renewed certificate' });
  } finally {
    await port.close();
  }
});

test('a connection is kept for longer than an API server keeps one that rests', async () => {
  const port = await openHttpPort(OPTIONS);
  const { headers } = await fetch(`http://${port.address}/`);
  await port.close();
  const [, seconds] = /timeout=(\d+)/.exec(headers.get('keep-alive') ?? '') ?? [];
  assert.ok(Number(seconds) > 90, `${seconds} s`);
});

test('a port that is taken is named with its setting', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  await assert.rejects(openHttpPort({ ...OPTIONS, address }), (error: SentinelError) => {
    assert.deepEqual([error.code, error.field], ['UNAVAILABLE', OPTIONS.addressKey]);
    assert.match(error.message, /another process has the port/);
    return true;
  });
  other.close();
});

test('a request target that is no URL is an error of its sender', async () => {
  const seen: unknown[] = [];
  const port = await openHttpPort({
    ...OPTIONS,
    listener: (request, response) => {
      try {
        seen.push(requestUrl(request).pathname);
      } catch (error) {
        seen.push(error instanceof SentinelError && error.code);
      }
      response.end();
    },
  });
  const { host, port: number } = parseAddress(port.address);
  for (const path of ['/checkpoint?x=1', '//['])
    await new Promise((resolve) =>
      get({ host, port: number, path }, (response) => response.resume().once('end', resolve)),
    );
  await port.close();
  assert.deepEqual(seen, ['/checkpoint', 'INVALID_ARGUMENT']);
});
