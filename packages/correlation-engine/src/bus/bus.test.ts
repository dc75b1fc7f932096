import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { eventually, testServer } from '@sentinel/test-kit';
import type { Bus, CacheChange, CacheEntry } from './bus.js';
import type { LiveUpdates, StateUpdate } from './live-updates.js';
import { MemoryBus } from './memory-bus.js';
import { RedisBus } from './redis/redis-bus.js';
import { MAX_WAITING_UPDATES } from './subscription.js';
import { BusLog } from './testing/bus-log.js';

interface Kind {
  readonly name: string;
  readonly skip: string | false;
  open(log: BusLog): Promise<Bus>;
}

const redis = await testServer('redis');
const KINDS: readonly Kind[] = [
  { name: 'memory', skip: false, open: async (log) => new MemoryBus(log) },
  { name: 'redis', skip: redis.skip, open: openRedis },
];

async function openRedis(log: BusLog): Promise<Bus> {
  const options = { url: redis.url, caFile: '', fleet: randomUUID(), writer: 'w', poolSize: 2 };
  const bus = new RedisBus(options, log);
  await eventually(() => bus.up || null, { what: 'the bus is up' });
  return bus;
}

function entry(id: string, commitSeq: number): CacheEntry {
  return { id, commitSeq, json: `{"id":"${id}","at":${commitSeq}}` };
}

function change(entries: readonly CacheEntry[], more: Partial<CacheChange> = {}): CacheChange {
  return { from: null, to: null, removed: [], entries, ...more };
}

function updates(commitSeq: number): LiveUpdates {
  const told: StateUpdate = {
    kind: 'state',
    gpu: 'GPU-1',
    node: 'n1',
    from: 'HEALTHY',
    to: 'SUSPECT',
    reason: 'because',
    actor: '',
    injected: false,
    timeUs: commitSeq,
  };
  return { after: commitSeq - 1, commitSeq, updates: [told] };
}

async function allIds(bus: Bus): Promise<string[]> {
  const ids = new Set<string>();
  for await (const some of bus.ids()) for (const id of some) ids.add(id);
  return [...ids].sort();
}

for (const { name, skip, open } of KINDS) {
  describe(`every bus: ${name}`, { skip }, () => {
    let bus: Bus;
    let log: BusLog;
    before(async () => {
      log = new BusLog();
      bus = await open(log);
    });
    after(() => bus.stop());

    test('what is put can be had, in bulk; what is not there is left out', async () => {
      assert.equal(await bus.put(change([entry('a', 1), entry('b', 1)])), true);
      assert.deepEqual([...(await bus.get(['b', 'none', 'a']))].sort(), [
        ['a', entry('a', 1).json],
        ['b', entry('b', 1).json],
      ]);
      assert.equal((await bus.get([])).size, 0);
    });

    test('an entry does not give way to an older one, and does to one of the same record', async () => {
      await bus.put(change([entry('old', 9)]));
      await bus.put(change([entry('old', 8)]));
      assert.equal((await bus.get(['old'])).get('old'), entry('old', 9).json);
      await bus.put(change([{ id: 'old', commitSeq: 9, json: '{}' }]));
      await bus.put(change([entry('old', 10)]));
      assert.equal((await bus.get(['old'])).get('old'), entry('old', 10).json);
    });

    test('what is removed is gone, and the generation is no device', async () => {
      await bus.put(change([entry('r1', 1), entry('r2', 1)], { to: 'g' }));
      await bus.put(change([], { removed: ['r1', 'none'] }));
      assert.deepEqual([...(await bus.get(['r1', 'r2'])).keys()], ['r2']);
      const ids = await allIds(bus);
      assert.ok(ids.includes('r2') && !ids.includes('r1'));
      assert.ok(!ids.some((id) => id.includes('generation')));
    });

    test('a change from another generation changes nothing at all', async () => {
      await bus.put(change([], { to: 'one' }));
      assert.equal(await bus.generation(), 'one');
      const refused = change([entry('g', 1)], { from: 'zero', to: 'two', removed: ['a'] });
      assert.equal(await bus.put(refused), false);
      assert.equal(await bus.generation(), 'one');
      assert.deepEqual([...(await bus.get(['g', 'a'])).keys()], ['a']);
      assert.equal(await bus.put({ ...refused, from: 'one' }), true);
      assert.equal(await bus.generation(), 'two');
      assert.deepEqual([...(await bus.get(['g', 'a'])).keys()], ['g']);
    });

    test('names and values are carried byte for byte', async () => {
      const odd = { id: 'GPU "ü" \n 0', commitSeq: 2 ** 53 - 1, json: '{"x":"\\u0000 ü \'"}' };
      await bus.put(change([odd]));
      assert.equal((await bus.get([odd.id])).get(odd.id), odd.json);
    });

    test('a thousand devices at once, and all their ids', async () => {
      const many = Array.from({ length: 1000 }, (_, i) => entry(`many-${i}`, 1));
      await bus.put(change(many));
      assert.equal((await bus.get(many.map(({ id }) => id))).size, 1000);
      assert.equal((await allIds(bus)).filter((id) => id.startsWith('many-')).length, 1000);
    });

    test('every subscriber gets what is published from then on, in order, once', async () => {
      const first = bus.subscribe();
      bus.publish(updates(1));
      const second = bus.subscribe();
      bus.publish(updates(2));
      assert.deepEqual([await first.next(), await first.next(), await second.next()], [1, 2, 2].map(updates));
      first.close();
      bus.publish(updates(3));
      assert.equal(await first.next(), null);
      assert.deepEqual(await second.next(), updates(3));
      second.close();
      assert.deepEqual([first.end, second.end], ['closed', 'closed']);
    });

    test('a subscriber that does not read is ended and counted, and costs the others nothing', async () => {
      const slow = bus.subscribe();
      const quick = bus.subscribe();
      const before = log.droppedOf('subscriber');
      for (let i = 0; i <= MAX_WAITING_UPDATES; i++) {
        bus.publish(updates(i));
        assert.deepEqual(await quick.next(), updates(i));
      }
      assert.equal(slow.end, 'slow');
      assert.equal(await slow.next(), null);
      assert.equal(log.droppedOf('subscriber') - before, MAX_WAITING_UPDATES + 1);
      quick.close();
    });

    test('a subscriber that waits is told when the bus stops', async () => {
      const own = await open(new BusLog());
      const waiting = own.subscribe().next();
      await own.stop();
      assert.equal(await waiting, null);
    });
  });
}
