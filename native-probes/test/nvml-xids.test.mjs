// Xid events of all GPUs, on a fake NVML.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsFakeGpu } from './fake-gpu/needs.mjs';
import { buildFakeNvml } from './fake-nvml/index.mjs';
import { startReader } from './fake-nvml/reader.mjs';

const GPU = 'GPU-11111111-2222-4333-8444-555555555555';
const OTHER = 'GPU-66666666-2222-4333-8444-555555555555';
const MIG = 'MIG-77777777-2222-4333-8444-555555555555';
const devices = [{ uuid: GPU }, { uuid: OTHER }];
const xid = (number, rest = {}) => ({ word: 'xid', uuid: GPU, number, ...rest });

async function listen(entries = []) {
  const fake = await fakeGpu({ devices, entries }, [buildFakeNvml()]);
  const reader = startReader(fake.env);
  return {
    set: (...next) => fake.configure({ devices, entries: next }),
    take: async () => {
      const { error, events } = await reader.ask('gpuXids');
      return {
        error: error?.name ?? null,
        events: events.map(({ uuid, xid: number }) => [uuid, number]),
        times: events,
      };
    },
    [Symbol.dispose]: () => {
      reader[Symbol.dispose]();
      fake[Symbol.dispose]();
    },
  };
}

test('each event comes once, in order, with its GPU and the time it was heard', needsFakeGpu, async () => {
  using gpus = await listen();
  const none = await gpus.take();
  assert.deepEqual([none.error, none.events], [null, []]);
  gpus.set(xid(79), xid(48, { uuid: OTHER }));
  const { events, times } = await gpus.take();
  assert.deepEqual(events, [
    [GPU, 79],
    [OTHER, 48],
  ]);
  assert.ok(times.every(({ timeUs }) => Math.abs(timeUs / 1000 - Date.now()) < 10_000));
  assert.deepEqual((await gpus.take()).events, []);
});

test('an event of a MIG instance names it, one of an instance that is gone its GPU', needsFakeGpu, async () => {
  const instance = { word: 'mig', uuid: MIG, parent: GPU, gi: 3, ci: 1 };
  const gpu = { word: 'nvml', uuid: GPU, mig: 1 };
  using gpus = await listen([gpu, instance, xid(94, { gi: 3, ci: 1 }), xid(94, { gi: 4, ci: 0 }), xid(31)]);
  assert.deepEqual((await gpus.take()).events, [
    [MIG, 94],
    [GPU, 94],
    [GPU, 31],
  ]);
});

test('a lost GPU is an error, and does not silence the others', needsFakeGpu, async () => {
  using gpus = await listen();
  await gpus.take();
  const lost = { word: 'nvml', uuid: GPU, lost: 1 };
  gpus.set(lost);
  assert.equal((await gpus.take()).error, 'GPU_IS_LOST');
  gpus.set(lost, xid(74, { uuid: OTHER }));
  assert.deepEqual((await gpus.take()).events, [[OTHER, 74]]);
});

test('a flood comes in parts', needsFakeGpu, async () => {
  using gpus = await listen(Array.from({ length: 100 }, (_, k) => xid(k)));
  const first = await gpus.take();
  const second = await gpus.take();
  assert.deepEqual([first.events.length, second.events.length], [64, 36]);
  assert.deepEqual(
    [...first.events, ...second.events].map(([, number]) => number),
    [...Array(100).keys()],
  );
});
