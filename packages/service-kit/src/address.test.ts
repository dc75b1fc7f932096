import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, isLoopback, parseAddress, parseListenAddress } from './address.js';

test('host and port are split and joined, IPv6 in brackets', () => {
  assert.deepEqual(parseAddress('127.0.0.1:50051'), { host: '127.0.0.1', port: 50_051 });
  assert.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseAddress(':9090'), { host: '0.0.0.0', port: 9_090 });
  for (const text of ['engine.example:1', '[::]:65535']) assert.equal(formatAddress(parseAddress(text)), text);
});

test('where IPv6 is, every interface of it is every one of IPv4 as well', () => {
  assert.equal(parseListenAddress('[::]:1', true).host, '::');
  assert.equal(parseListenAddress('[::]:1', false).host, '0.0.0.0');
  for (const host of ['[::1]', '0.0.0.0', '127.0.0.1'])
    assert.deepEqual(parseListenAddress(`${host}:1`, false), parseAddress(`${host}:1`));
});

test('loopback is what only this machine reaches', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '1127.0.0.1'])
    assert.ok(!isLoopback(host), host);
});
