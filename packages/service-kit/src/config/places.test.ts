import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError } from './formats.js';
import {
  cpuDevices,
  endpoint,
  expandCpuList,
  folderOf,
  isLoopback,
  listenAddress,
  nodeName,
  optionalPath,
  splitHostPort,
  storeUrl,
  webOrigin,
} from './places.js';

test('an address to listen on is HOST:PORT', () => {
  assert.equal(listenAddress.check('127.0.0.1:0'), '127.0.0.1:0');
  assert.equal(listenAddress.check('[::]:50051'), '[::]:50051');
  assert.equal(listenAddress.check(':50051'), '0.0.0.0:50051');
  for (const value of ['50051', 'host', 'host:', 'host:70000', '::1:50051', 'a b:1', '', 'http://x:1']) {
    assert.throws(() => listenAddress.check(value), FormatError, value);
  }
});

test('an endpoint needs a host and a port that can be called', () => {
  assert.equal(endpoint.parse('correlation-engine.sentinel.svc:50051'), 'correlation-engine.sentinel.svc:50051');
  for (const value of [':50051', 'host:0', 'host']) assert.throws(() => endpoint.check(value), FormatError, value);
  assert.deepEqual(splitHostPort('[::1]:8080'), { host: '::1', port: 8080 });
});

test('loopback is what only this machine reaches', () => {
  for (const value of ['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'])
    assert.equal(isLoopback(value), true, value);
  for (const value of ['0.0.0.0:1', '[::]:1', '10.0.0.1:1', '127.0.0.1.example:1']) {
    assert.equal(isLoopback(value), false, value);
  }
});

test('a store URL has one of its schemes, and a folder or a host', () => {
  const format = storeUrl(['embedded', 'postgres']);
  assert.equal(format.resolve?.(format.check('embedded://../pg'), '/a/b'), 'embedded:///a/pg');
  assert.equal(format.resolve?.(format.check('postgres://u:p@h:5432/d'), '/a/b'), 'postgres://u:p@h:5432/d');
  assert.equal(folderOf('embedded:///a/pg'), '/a/pg');
  assert.equal(folderOf('postgres://h/d'), undefined);
  for (const value of ['embedded://', 'mysql://h/d', 'postgres://', '/a/pg', 'postgres://u:p']) {
    assert.throws(() => format.check(value), FormatError, value);
  }
});

test('what a server is asked for beside its place is not in the URL, where it would win over the settings', () => {
  const format = storeUrl(['file', 'postgres', 'redis']);
  for (const url of [
    'postgres://u:secret@h/d?sslmode=disable',
    'postgres://h?host=x',
    'redis://h?tls=false',
    'postgres://h/d#x',
  ])
    assert.throws(
      () => format.check(url),
      ({ message }: Error) => /sslmode, ca_file/.test(message) && !message.includes('secret'),
      url,
    );
  assert.equal(format.check('file:///what?'), 'file:///what?');
});

test('a store URL shows its host but no credentials', () => {
  const reveal = (url: string): string | undefined => storeUrl(['embedded', 'postgres']).reveal?.(url);
  assert.equal(reveal('embedded:///a/pg'), 'embedded:///a/pg');
  assert.equal(reveal('postgres://h:5432/d'), 'postgres://h:5432/d');
  assert.equal(reveal('postgres://u:p@h:5432/d'), 'postgres://********@h:5432/d');
  assert.equal(reveal('postgres://h/d?password=p'), 'postgres://********@h/d');
  assert.equal(reveal('postgres://h/d#p'), 'postgres://********@h/d');
});

test('paths are taken from the folder of the configuration', () => {
  assert.equal(optionalPath.resolve?.('x/y', '/etc/s'), '/etc/s/x/y');
  assert.equal(optionalPath.resolve?.('/x', '/etc/s'), '/x');
  assert.equal(optionalPath.resolve?.('', '/etc/s'), '');
});

test('node names cannot leave a folder', () => {
  assert.equal(nodeName.check('gpu-node-17.dc1'), 'gpu-node-17.dc1');
  for (const value of ['..', '../x', 'a/b', '-a', 'a b', 'x'.repeat(300)]) {
    assert.throws(() => nodeName.check(value), FormatError, value);
  }
});

test('a web origin has no path', () => {
  assert.equal(webOrigin.check('https://a.example:8443'), 'https://a.example:8443');
  for (const value of ['https://a.example/', 'a.example', '*', 'null']) {
    assert.throws(() => webOrigin.check(value), FormatError, value);
  }
});

test('CPU lists use the notation of the kernel, and no CPU is in two devices', () => {
  assert.deepEqual(expandCpuList('0-2,8'), [0, 1, 2, 8]);
  assert.deepEqual(cpuDevices.parse('0-3,8;4-7'), ['0-3,8', '4-7']);
  for (const value of ['0-3;3-5', '3-1', 'a', '1,,2']) assert.throws(() => cpuDevices.parse(value), FormatError, value);
});
