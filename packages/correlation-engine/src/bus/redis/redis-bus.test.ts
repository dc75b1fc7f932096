import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import {
  eventually,
  makeAuthority,
  RedisServer,
  type TcpProxy,
  tcpProxy,
  temporaryFolder,
  testServer,
} from '@sentinel/test-kit';
import { Redis } from 'ioredis';
import { BUS_TIMEOUT_MS } from '../bus.js';
import { StateCache } from '../state-cache.js';
import { BusLog } from '../testing/bus-log.js';
import { cachedBy, FleetSource } from '../testing/fleet-source.js';
import { fleetKeys, KEPT_S } from './keys.js';
import { MAX_UNSENT_UPDATES, RedisBus } from './redis-bus.js';

const ONE = { after: 0, commitSeq: 1, updates: [] };
const DEVICES = Array.from({ length: 600 }, (_, i) => `GPU-${i}`);

/** Of the running test. */
let opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  const ending = opened.reverse();
  opened = [];
  for (const each of ending) await each.stop();
});

/** Ends with the test, also with one that failed: it would connect again for ever. */
function rawClient(url: string): Redis {
  const raw = new Redis(url).on('error', () => {});
  opened.push({ stop: async () => raw.disconnect() });
  return raw;
}

function openBus(url: string, more: { fleet?: string; writer?: string; caFile?: string; poolSize?: number } = {}) {
  const log = new BusLog();
  const bus = new RedisBus({ url, caFile: '', fleet: 'fleet', writer: 'w', poolSize: 2, ...more }, log);
  opened.push(bus);
  return { bus, log };
}

function isUp(bus: RedisBus, up = true): Promise<true> {
  const what = up ? 'the bus is up' : 'the bus is away';
  return eventually(() => (bus.up === up ? true : null), { what, timeoutMs: 20_000 });
}

/** A cache over 600 devices, written; `right` waits until it shows the source again. */
async function cacheOver(bus: RedisBus) {
  const source = new FleetSource();
  const rewrites: number[] = [];
  const cache = new StateCache(bus, source, { rewritten: (devices) => rewrites.push(devices) });
  opened.push(cache);
  cache.start();
  const commit = (ids: readonly string[]): void => cache.changed(source.commit(ids));
  const isNewest = async (): Promise<true | null> =>
    (await bus.generation().catch(() => null)) === `1:${source.commitSeq()}` ? true : null;
  const right = async (): Promise<void> => {
    await eventually(isNewest, { what: 'the cache shows the newest record', timeoutMs: 30_000 });
    assert.deepEqual(await cachedBy(bus), source.expected());
  };
  commit(DEVICES);
  await isUp(bus);
  await right();
  return { commit, right, rewrites };
}

const { skip } = await testServer('redis');

describe('a bus over Redis', { skip }, () => {
  test('another engine of the fleet hears what is published, once; another fleet and an unreadable message are nothing to it', async () => {
    await using redis = await RedisServer.start();
    const a = openBus(redis.url, { writer: 'a' });
    const b = openBus(redis.url, { writer: 'b' });
    const other = openBus(redis.url, { fleet: 'other' });
    const deaf = openBus(redis.url, { poolSize: 1 });
    const raw = rawClient(redis.url);
    const channel = fleetKeys('fleet', '').live;
    await eventually(async () => (Number((await raw.pubsub('NUMSUB', channel))[1]) === 2 ? true : null), {
      what: 'two engines of the fleet listen',
    });
    const [own, heard, strange, silent] = [a, b, other, deaf].map(({ bus }) => bus.subscribe());
    for (const text of ['no JSON', '{}', '{"commitSeq":1.5,"updates":[]}', '{"after":"0","commitSeq":2,"updates":[]}'])
      await raw.publish(channel, text);
    await raw.publish(channel, '{"commitSeq":7,"updates":[{"kind":"later"}]}');
    await isUp(a.bus);
    assert.deepEqual(await own?.next(), { after: 7, commitSeq: 7, updates: [] }, 'from elsewhere');
    a.bus.publish(ONE);
    assert.deepEqual(await heard?.next(), { after: 7, commitSeq: 7, updates: [] });
    assert.deepEqual(await heard?.next(), ONE);
    assert.equal(b.log.droppedOf('malformed'), 4);
    assert.deepEqual(await own?.next(), ONE);
    await a.bus.get(['x']);
    for (const { bus } of [a, b, other, deaf]) await bus.stop();
    assert.deepEqual([await own?.next(), await strange?.next(), await silent?.next()], [null, null, null]);
    raw.disconnect();
  });

  test('the cache lives in one hash that vanishes by itself, shared by the engines of a fleet', async () => {
    await using redis = await RedisServer.start();
    const a = openBus(redis.url, { writer: 'a' });
    const b = openBus(redis.url, { writer: 'b' });
    await Promise.all([isUp(a.bus), isUp(b.bus)]);
    await a.bus.put({ from: null, to: 'ga', entries: [{ id: 'GPU-1', commitSeq: 3, json: '{}' }], removed: [] });
    await b.bus.put({ from: null, to: 'gb', entries: [], removed: [] });
    assert.deepEqual([await a.bus.generation(), await b.bus.generation()], ['ga', 'gb']);
    assert.equal((await b.bus.get(['GPU-1'])).get('GPU-1'), '{}');
    const raw = rawClient(redis.url);
    assert.deepEqual(await raw.keys('*'), ['sentinel:{fleet}:states']);
    const left = await raw.ttl('sentinel:{fleet}:states');
    assert.ok(left > KEPT_S - 10 && left <= KEPT_S, `${left} s`);
    raw.disconnect();
  });

  test('without a server every call ends at once, local subscribers are served, and what is not sent is counted', async () => {
    await using redis = await RedisServer.start();
    await redis.kill();
    const { bus, log } = openBus(redis.url);
    const subscription = bus.subscribe();
    bus.publish(ONE);
    assert.deepEqual(await subscription.next(), ONE);
    await assert.rejects(bus.get(['a']), { code: 'UNAVAILABLE' });
    await assert.rejects(bus.put({ from: null, to: null, entries: [], removed: [] }), { code: 'UNAVAILABLE' });
    await eventually(() => (log.changes.length > 0 ? true : null), { what: 'its being away is said' });
    assert.match(log.changes[0] ?? '', /ECONNREFUSED/);
    assert.equal(log.droppedOf('publish'), 1);
    await redis.start();
    await isUp(bus);
    assert.equal(log.changes.at(-1), null);
  });

  test('killed and started empty: the cache is right again, and subscribers hear that they may have missed something', async () => {
    await using redis = await RedisServer.start();
    const { bus } = openBus(redis.url);
    const cache = await cacheOver(bus);
    const subscription = bus.subscribe();
    await redis.kill();
    await isUp(bus, false);
    cache.commit(['GPU-1', 'GPU-new']);
    await redis.start();
    assert.equal(await subscription.next(), 'missed');
    await cache.right();
    assert.deepEqual(cache.rewrites, [600, 601]);
  });

  test('so many updates are on their way at most; what comes beyond is counted', async () => {
    await using redis = await RedisServer.start();
    const { bus, log } = openBus(redis.url);
    await isUp(bus);
    redis.pause();
    for (let i = 0; i < MAX_UNSENT_UPDATES + 7; i++) bus.publish(ONE);
    assert.equal(log.droppedOf('publish'), 7);
    redis.resume();
  });

  test('emptied while nothing happens: the cache is right again within seconds', async () => {
    await using redis = await RedisServer.start();
    const { bus } = openBus(redis.url);
    const cache = await cacheOver(bus);
    const raw = rawClient(redis.url);
    await raw.flushall();
    await cache.right();
    assert.deepEqual(cache.rewrites, [600, 600]);
    raw.disconnect();
  });

  for (const [what, harm] of [
    ['stopped in its tracks', async (redis: RedisServer, _: TcpProxy) => redis.pause()],
    ['behind a link on which nothing moves', async (_: RedisServer, link: TcpProxy) => link.stall()],
  ] as const) {
    test(`${what}: noticed, no call waits longer than its limit, and the cache is right afterwards`, async () => {
      await using redis = await RedisServer.start();
      await using link = await tcpProxy(redis.port);
      const { bus, log } = openBus(`redis://${link.address}`);
      const cache = await cacheOver(bus);
      await harm(redis, link);
      cache.commit(['GPU-2']);
      // Against another timer of this process, which stands still where the limit of the call does.
      const ended = bus.get(['GPU-1']).then(
        () => 'answered',
        (error: unknown) => SentinelError.from(error).code,
      );
      const late = sleep(2 * BUS_TIMEOUT_MS, 'late', { ref: false });
      assert.equal(await Promise.race([ended, late]), 'UNAVAILABLE');
      await isUp(bus, false);
      cache.commit(['GPU-3', 'GPU-4']);
      for (let i = 0; i < 5; i++) bus.publish(ONE);
      assert.ok(log.droppedOf('publish') > 0);
      redis.resume();
      link.pass();
      await isUp(bus);
      await cache.right();
      assert.deepEqual(cache.rewrites, [600], 'it had lost nothing, so nothing is written anew');
    });
  }

  test('a password is needed where the server wants one, and is in no message', async () => {
    await using redis = await RedisServer.start({ password: 'right-secret' });
    const url = (password: string): string => `redis://:${password}@127.0.0.1:${redis.port}`;
    const right = openBus(url('right-secret'));
    await isUp(right.bus);
    const wrong = openBus(url('wrong-secret'));
    const none = openBus(`redis://127.0.0.1:${redis.port}`);
    await eventually(() => (wrong.log.changes.length > 0 && none.log.changes.length > 0 ? true : null), {
      what: 'both say that they are refused',
    });
    assert.equal(wrong.bus.up, false);
    assert.match(String(wrong.log.changes[0]), /refuses user and password/);
    assert.match(String(none.log.changes[0]), /wants a password/);
    assert.doesNotMatch(JSON.stringify([wrong.log.changes, right.log.changes]), /secret/);
  });

  test('over TLS with authorities of its own; another authority is refused', async () => {
    await using folder = await temporaryFolder();
    const authority = await makeAuthority(folder.join('one'));
    const stranger = await makeAuthority(folder.join('two'));
    await using redis = await RedisServer.start({ tls: await authority.issue('redis') });
    const known = openBus(redis.url, { caFile: authority.caFile });
    const strange = openBus(redis.url, { caFile: stranger.caFile });
    await isUp(known.bus);
    await eventually(() => strange.log.changes[0] ?? null, { what: 'the other authority is refused' });
    assert.match(strange.log.changes[0] ?? '', /certificate/);
    assert.throws(() => openBus(redis.url, { caFile: folder.join('none') }), { code: 'FAILED_PRECONDITION' });
  });
});
