import assert from 'node:assert/strict';
import { test } from 'node:test';
import { READ_BYTES } from './http1/server-sockets.js';
import { Pressure } from './pressure.js';

const MAY_WAIT = 1_000_000;

function pressed() {
  const state = { waiting: [0, 0], crowded: [] as boolean[], buffers: 0, collected: [] as string[] };
  const all = [0, 1].map((k) => ({
    get waiting() {
      return state.waiting[k] ?? 0;
    },
    crowd: (isCrowded: boolean) => {
      state.crowded[k] = isCrowded;
    },
  }));
  const collect = (which: string) => state.collected.push(which);
  const pressure = new Pressure({ mayWait: MAY_WAIT, all, buffers: () => state.buffers, collect });
  return { state, pressure };
}

test('while more waits than may everybody refuses more, and takes it again', () => {
  const { state, pressure } = pressed();
  state.waiting = [500_000, 500_000];
  pressure.look();
  assert.deepEqual(state.crowded, [false, false]);
  state.waiting = [500_000, 500_001];
  pressure.look();
  assert.deepEqual(state.crowded, [true, true]);
  state.waiting = [0, 500_001];
  pressure.look();
  assert.deepEqual(state.crowded, [false, false]);
});

test('from half of it on less is read at a time, which is seen as soon as much was read', () => {
  const { state, pressure } = pressed();
  pressure.look();
  state.waiting = [300_000, 250_000];
  assert.equal(pressure.read(200_000), READ_BYTES);
  assert.deepEqual([pressure.read(60_000), pressure.isNear], [4_096, true]);
  state.waiting = [0, 0];
  assert.deepEqual([pressure.read(300_000), pressure.isNear], [READ_BYTES, false]);
});

test('garbage is collected where much was read: of the young first, and of all where that left too much', () => {
  const { state, pressure } = pressed();
  state.waiting = [100_000, 0];
  state.buffers = 1_100_001;
  pressure.look();
  assert.deepEqual(state.collected, [], 'nothing was read');
  pressure.read(300_000);
  assert.deepEqual(state.collected, ['minor']);
  pressure.look();
  assert.deepEqual(state.collected, ['minor'], 'nothing was read since');
  pressure.read(300_000);
  assert.deepEqual(state.collected, ['minor', 'major']);
  state.buffers = 1_000_000;
  pressure.read(300_000);
  state.buffers = 2_000_000;
  pressure.read(300_000);
  assert.deepEqual(state.collected, ['minor', 'major', 'minor']);
});
