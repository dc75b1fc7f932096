import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisServer } from './redis.js';
import { testServer } from './test-server.js';

/** The answer to one command without blanks in its words. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('error', reject).once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().trim());
    });
  });
}

const { url, skip } = await testServer('redis');

describe('a Redis for tests', { skip }, () => {
  test('that a run shares is real', async () => {
    assert.equal(await ask(Number(new URL(url).port), 'PING'), '+PONG');
  });

  test('of its own can be killed and comes back empty on its port', async () => {
    await using redis = await RedisServer.start();
    assert.equal(await ask(redis.port, 'SET key value'), '+OK');
    await redis.kill();
    await assert.rejects(ask(redis.port, 'PING'), /ECONNREFUSED/);
    await redis.start();
    assert.equal(await ask(redis.port, 'GET key'), '$-1');
  });

  test('answers once it is resumed where it was paused', async () => {
    await using redis = await RedisServer.start();
    redis.pause();
    const answer = ask(redis.port, 'PING');
    assert.equal(await Promise.race([answer, sleep(100, 'silence')]), 'silence');
    redis.resume();
    assert.equal(await answer, '+PONG');
  });

  test('wants its password, and ends with its test', async () => {
    const redis = await RedisServer.start({ password: 'open' });
    assert.match(await ask(redis.port, 'PING'), /NOAUTH/);
    assert.equal(redis.url, `redis://:open@127.0.0.1:${redis.port}`);
    await redis.stop();
    await assert.rejects(ask(redis.port, 'PING'), /ECONNREFUSED/);
  });

  test('that ends by itself says why', async () => {
    const files = { certFile: '/nonexistent/c', keyFile: '/nonexistent/k', caFile: '/nonexistent/a' };
    await assert.rejects(RedisServer.start({ tls: files }), /Redis ended: [\s\S]*nonexistent/);
  });
});
