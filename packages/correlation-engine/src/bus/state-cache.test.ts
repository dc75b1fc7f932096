import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '@sentinel/test-kit';
import fc from 'fast-check';
import { MemoryBus } from './memory-bus.js';
import { CHUNK_DEVICES, StateCache } from './state-cache.js';
import { BusLog } from './testing/bus-log.js';
import { FailingBus, type Fate } from './testing/failing-bus.js';
import { cachedBy, FleetSource } from './testing/fleet-source.js';

function cacheOver(bus: MemoryBus | FailingBus, source: FleetSource) {
  const rewrites: number[] = [];
  const cache = new StateCache(bus, source, { rewritten: (devices) => rewrites.push(devices) });
  return { cache, rewrites };
}

async function settled(bus: MemoryBus | FailingBus, source: FleetSource): Promise<void> {
  const generation = `1:${source.commitSeq()}`;
  await eventually(async () => ((await bus.generation()) === generation ? true : null), {
    what: 'the cache shows the newest record',
    timeoutMs: 20_000,
  });
  assert.deepEqual(await cachedBy(bus), source.expected());
}

const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `GPU-${from + i}`);

test('a cache that was never written is written as a whole, in steps, and then follows each transaction', async () => {
  const source = new FleetSource();
  const bus = new MemoryBus(new BusLog());
  source.commit(names(0, 3 * CHUNK_DEVICES + 5));
  const { cache, rewrites } = cacheOver(bus, source);
  cache.start();
  await settled(bus, source);
  assert.deepEqual(rewrites, [3 * CHUNK_DEVICES + 5]);
  cache.changed(source.commit(names(10, 20), ['GPU-3']));
  cache.changed(source.commit(names(2000, 2000 + CHUNK_DEVICES + 1)));
  await settled(bus, source);
  assert.equal(rewrites.length, 1);
  await cache.stop();
});

test('an engine that starts where the cache is up to date writes nothing anew; after a missed transaction it does', async () => {
  const source = new FleetSource();
  const bus = new MemoryBus(new BusLog());
  source.commit(names(0, 10));
  const first = cacheOver(bus, source);
  first.cache.start();
  await settled(bus, source);
  await first.cache.stop();

  const second = cacheOver(bus, source);
  second.cache.start();
  second.cache.changed(source.commit(['GPU-1']));
  await settled(bus, source);
  await second.cache.stop();

  source.commit(['GPU-2'], ['GPU-4']);
  const third = cacheOver(bus, source);
  third.cache.start();
  await settled(bus, source);
  await third.cache.stop();
  assert.deepEqual([first.rewrites, third.rewrites], [[10], [9]]);
});

test('whatever happens to the writes, the cache ends as the committed state', async () => {
  const fates = fc.array(fc.constantFrom<Fate>('done', 'unsent', 'unanswered', 'emptied'), { maxLength: 5 });
  const ids = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 });
  const commits = fc.array(fc.record({ changed: ids, gone: ids }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fates, commits, async (planned, transactions) => {
      const source = new FleetSource();
      const bus = new FailingBus(() => new MemoryBus(new BusLog()), [...planned]);
      const { cache } = cacheOver(bus, source);
      cache.start();
      const name = (id: number): string => `GPU-${id}`;
      for (const { changed, gone } of transactions) {
        cache.changed(source.commit(changed.map(name), gone.map(name)));
        await turn();
      }
      await settled(bus, source);
      await cache.stop();
    }),
    { numRuns: 30 },
  );
});

test('what a write held that was not sent is written with the next one', async () => {
  const source = new FleetSource();
  const bus = new FailingBus(() => new MemoryBus(new BusLog()), []);
  source.commit(names(0, 3));
  const { cache, rewrites } = cacheOver(bus, source);
  cache.start();
  await settled(bus, source);
  bus.fates.push('unsent');
  cache.changed(source.commit(['GPU-1']));
  await settled(bus, source);
  assert.equal(rewrites.length, 1);
  await cache.stop();
});
