import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Framer } from './framer.js';

test('a head that came with much of a body keeps nothing of it', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n';
  const bytes = Buffer.concat([Buffer.from(head), Buffer.allocUnsafeSlow(1_000_000)]);
  const framer = new Framer('response', () => ({ kind: 'length', bytes: 1_000_000 }));
  assert.equal(framer.step(bytes, 0), head.length);
  assert.equal(framer.headBytes.toString(), head);
  assert.ok(framer.headBytes.buffer.byteLength < 100_000);
});

test('between two messages the bytes of a head can be forgotten, within one they stay', () => {
  const framer = new Framer('request', () => ({ kind: 'length', bytes: 2 }));
  const head = 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n';
  framer.step(Buffer.from(head), 0);
  framer.forget();
  assert.equal(framer.headBytes.toString(), head);
  framer.step(Buffer.from('ab'), 0);
  framer.forget();
  assert.deepEqual([framer.place, framer.headBytes.length, framer.head?.method], ['between', 0, 'POST']);
});
