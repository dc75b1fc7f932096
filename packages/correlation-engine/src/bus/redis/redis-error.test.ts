import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  eventually,
  makeAuthority,
  RedisServer,
  type TemporaryFolder,
  temporaryFolder,
  testServer,
} from '@sentinel/test-kit';
import { Redis } from 'ioredis';
import { BusLog } from '../testing/bus-log.js';
import { RedisBus } from './redis-bus.js';
import { redisError, redisPlace } from './redis-error.js';

const { skip } = await testServer('redis');

/** Of a real server, and what an operator has to do. */
describe('what keeps an engine from its Redis is told with the setting', { skip }, () => {
  let folder: TemporaryFolder;
  let plain: RedisServer;
  let locked: RedisServer;
  let secure: RedisServer;
  let caFile = '';
  let strangerFile = '';
  before(async () => {
    folder = await temporaryFolder();
    const authority = await makeAuthority(folder.join('one'));
    caFile = authority.caFile;
    strangerFile = (await makeAuthority(folder.join('two'))).caFile;
    [plain, locked, secure] = await Promise.all([
      RedisServer.start(),
      RedisServer.start({ password: 'right-secret' }),
      RedisServer.start({ tls: await authority.issue('redis') }),
    ]);
  });
  after(async () => {
    for (const server of [plain, locked, secure]) await server.stop();
    await folder[Symbol.asyncDispose]();
  });

  const at = (scheme: string, { port }: RedisServer, who = ''): string => `${scheme}://${who}127.0.0.1:${port}`;
  /** On asking again and again: a machine that stands still adds complaints of its own. */
  const complains = async (said: RegExp, url: string, ca = ''): Promise<void> => {
    const log = new BusLog();
    const bus = new RedisBus({ url, caFile: ca, fleet: 'f', writer: 'w', poolSize: 2 }, log);
    try {
      const asked = async () => {
        await bus.put({ from: null, to: 'x', entries: [], removed: [] }).catch(() => {});
        assert.match(log.changes.join('\n'), said);
        return true;
      };
      await eventually(asked, { what: 'it is said' });
      assert.doesNotMatch(log.changes.join(), /secret/);
    } finally {
      await bus.stop();
    }
  };

  const CASES: readonly (readonly [string, () => readonly [string, string?], RegExp])[] = [
    ['a wrong password', () => [at('redis', locked, ':wrong-secret@')], /refuses user and password\. .*redis\.url, or/],
    ['no password', () => [at('redis', locked)], /wants a password\. .*correlation_engine\.redis\.url/],
    ['another authority', () => [at('rediss', secure), strangerFile], /certificate .* is not of .*redis\.ca_file/],
    ['an authority that is not named', () => [at('rediss', secure)], /certificate .* is not of .*redis\.ca_file/],
    ['no TLS there', () => [at('rediss', plain), caFile], /does not answer over TLS\. .* redis:\/\/ in .*redis\.url/],
    ['TLS alone there', () => [at('redis', secure)], /does not answer .*rediss:\/\/ in correlation_engine\.redis\.url/],
    [
      'nobody there',
      () => ['redis://127.0.0.1:1'],
      /127\.0\.0\.1:1 does not answer \(ECONNREFUSED.* correct .*redis\.url/,
    ],
  ];
  for (const [what, settings, said] of CASES) test(what, () => complains(said, ...settings()));

  /** An error that nobody listens for would end the engine. */
  test('another authority, and the bus stopped within the handshake', async () => {
    const options = { url: at('rediss', secure), caFile: strangerFile, fleet: 'f', writer: 'w', poolSize: 2 };
    for (let ms = 0; ms < 30; ms += 0.5) {
      const bus = new RedisBus(options, new BusLog());
      await delay(ms);
      await bus.stop();
    }
  });

  const takesAgain = async (server: RedisServer, raw: Redis): Promise<void> => {
    const log = new BusLog();
    const bus = new RedisBus({ url: server.url, caFile: '', fleet: 'f', writer: 'w', poolSize: 2 }, log);
    const write = () => bus.put({ from: null, to: 'x', entries: [], removed: [] });
    try {
      await eventually(() => bus.up, { what: 'it is up' });
      await assert.rejects(write, { code: 'FAILED_PRECONDITION', field: 'correlation_engine.redis.url' });
      assert.deepEqual(
        [bus.up, /is a read-only copy\. Name the primary/.test(String(log.changes.at(-1)))],
        [true, true],
      );
      await raw.call('REPLICAOF', 'NO', 'ONE');
      await write();
      assert.equal(log.changes.at(-1), null);
    } finally {
      await bus.stop();
    }
  };

  test('a server that answers and refuses what is asked: rights, room, a copy; and that it takes it again', async () => {
    await using server = await RedisServer.start();
    const raw = new Redis(server.url);
    try {
      await raw.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~*', '+ping', '+info');
      await complains(/Allow EVAL.*another user in .*redis\.url/, at('redis', server, 'guest:secret@'));
      await raw.config('SET', 'maxmemory', '1');
      await complains(/takes no data \(OOM[^.]*\)\. Give it room/, server.url);
      await raw.config('SET', 'maxmemory', '0');
      await raw.call('REPLICAOF', '127.0.0.1', '1');
      await takesAgain(server, raw);
    } finally {
      raw.disconnect();
    }
  });
});

test('what may pass by waiting is told apart from what does not', () => {
  const place = redisPlace('rediss://:secret@redis.example/3');
  assert.deepEqual(place, { where: 'redis.example:6379', tls: true });
  const code = (message: string): string => redisError(new Error(message), place).code;
  assert.deepEqual(
    [code('WRONGPASS x'), code('self-signed certificate'), code('connect ECONNREFUSED'), code('LOADING x')],
    ['FAILED_PRECONDITION', 'FAILED_PRECONDITION', 'UNAVAILABLE', 'UNAVAILABLE'],
  );
  assert.match(redisError(null, { ...place, tls: false }).sentence, /the connection ended.*rediss:\/\//);
});
