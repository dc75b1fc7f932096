import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisMissing, sharedRedis, TestRedis } from './redis.js';

const skip = redisMissing();

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

test('without server and variable it says what to install', () => {
  assert.match(String(redisMissing({ PATH: '/nonexistent' })), /apt-get install redis-server/);
  assert.equal(redisMissing({ PATH: '/nonexistent', SENTINEL_TEST_REDIS_URL: 'redis://h' }), false);
});

test("the run's server is used where there is one", async () => {
  await using redis = await sharedRedis({ SENTINEL_TEST_REDIS_URL: 'redis://127.0.0.1:7' });
  assert.equal(redis.url, 'redis://127.0.0.1:7');
});

test('a server is real, can be killed and comes back empty on its port', { skip }, async () => {
  await using redis = await TestRedis.start();
  assert.equal(await ask(redis.port, 'SET key value'), '+OK');
  await redis.kill();
  await assert.rejects(ask(redis.port, 'PING'), /ECONNREFUSED/);
  await redis.restart();
  assert.equal(await ask(redis.port, 'GET key'), '$-1');
});

test('a paused server answers once it is resumed', { skip }, async () => {
  await using redis = await TestRedis.start();
  redis.pause();
  const answer = ask(redis.port, 'PING');
  assert.equal(await Promise.race([answer, sleep(100, 'silence')]), 'silence');
  redis.resume();
  assert.equal(await answer, '+PONG');
});

test('a server of one test ends with it', { skip }, async () => {
  const { port, ...redis } = await TestRedis.start(['--requirepass', 'open']).then(async (own) => {
    const refused = await ask(own.port, 'PING');
    await own[Symbol.asyncDispose]();
    return { port: own.port, refused };
  });
  assert.match(redis.refused, /NOAUTH/);
  await assert.rejects(ask(port, 'PING'), /ECONNREFUSED/);
});
