import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schedule } from '@sentinel/service-kit/config';
import { Pauses } from '../scheduler/pauses.js';
import { ControlDesk } from './control-desk.js';
import { type EngineOrders, NO_ORDERS } from './saved-orders.js';

const AES = 'name: night\nprobes:\n  - { type: AES, period_seconds: 30 }\n';

function desk(before = NO_ORDERS) {
  let orders: EngineOrders = before;
  const said: string[] = [];
  const followed: (Schedule | null)[] = [];
  const pauses = new Pauses([]);
  const note = (what: string) => (first: string, second?: string) =>
    void said.push([what, first, second ?? ''].join(' ').trim());
  const made = new ControlDesk({
    saved: {
      load: () => before,
      save: (next) => {
        orders = next;
      },
    },
    pauses,
    engineClock: { toLocalUs: (us) => us - 1_000_000n },
    deviceIds: () => ['GPU-a', 'GPU-b'],
    wallMs: () => 0,
    events: { deviceChanged: note('device'), scheduleChanged: note('changed'), scheduleRefused: note('refused') },
    follow: (schedule) => void followed.push(schedule),
    onWork: () => {},
  });
  return { made, said, followed, pauses, saved: () => orders };
}

test("a pause ends by the engine's clock; the whole set is replaced by the next", () => {
  const { made, said, pauses } = desk();
  const paused = { deviceId: 'GPU-a', untilUs: 6_000_000n, reason: 'riser swap' };
  made.receive({ $case: 'pause', value: { devices: [paused] } });
  assert.deepEqual([pauses.isPaused('GPU-a', 4_999), pauses.isPaused('GPU-a', 5_000)], [true, false]);
  made.receive({ $case: 'pause', value: { devices: [{ deviceId: 'GPU-b', untilUs: 0n, reason: 'x' }] } });
  assert.deepEqual(said, [
    'device GPU-a is paused until 1970-01-01T00:00:05.000Z: riser swap',
    'device GPU-a runs again',
    'device GPU-b is paused: x',
  ]);
});

test('a schedule is followed once however often it is repeated, and an empty one means the file', () => {
  const { made, said, followed } = desk();
  for (const yaml of [AES, AES, ''])
    made.receive({ $case: 'schedule', value: { yaml, version: yaml === '' ? '' : '7' } });
  assert.deepEqual(
    followed.map((schedule) => schedule?.name ?? null),
    ['night', null],
  );
  assert.deepEqual(said, [
    'changed schedule: night, version 7, from the engine',
    'changed schedule: back to the file of the configuration',
  ]);
});

test('a schedule that cannot be read is refused with line and key, once, and the one before stays', () => {
  const { made, said, followed } = desk();
  const yaml = 'name: x\nprobes:\n  - { type: FMAA, period_seconds: 0 }\n';
  for (let hello = 0; hello < 2; hello += 1) made.receive({ $case: 'schedule', value: { yaml, version: '8' } });
  assert.deepEqual(followed, []);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /refused .*schedule 8:3: probes\.type: .*; schedule 8:3: probes\.period_seconds/);
});

test('what was in force is saved, a refused schedule is not, and both are taken up again after a restart', () => {
  const before = desk();
  const paused = { deviceId: 'GPU-a', untilUs: 0n, reason: 'riser swap' };
  const over = { deviceId: 'GPU-b', untilUs: 1_000_000n, reason: 'over by then' };
  before.made.receive({ $case: 'pause', value: { devices: [paused, over] } });
  before.made.receive({ $case: 'schedule', value: { yaml: AES, version: '7' } });
  before.made.receive({ $case: 'schedule', value: { yaml: 'name: 1', version: '8' } });

  const after = desk(before.saved());
  after.made.restore();
  assert.deepEqual([after.pauses.isPaused('GPU-a', 1e15), after.followed[0]?.name], [true, 'night']);
  const said = ['device GPU-a is paused: riser swap', 'changed schedule: night, version 7, from the engine'];
  assert.deepEqual(after.said, said);
  assert.deepEqual(
    after.saved().pauses.map(({ deviceId }) => deviceId),
    ['GPU-a'],
  );
  after.made.receive({ $case: 'schedule', value: { yaml: AES, version: '7' } });
  after.made.receive({ $case: 'pause', value: { devices: [paused] } });
  assert.deepEqual(after.said, said, 'the engine says the same again');
  after.made.receive({ $case: 'pause', value: { devices: [] } });
  after.made.receive({ $case: 'schedule', value: { yaml: '', version: '' } });
  assert.deepEqual(after.saved(), NO_ORDERS);
});
