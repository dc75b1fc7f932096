import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TelemetrySample } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { XidEvent } from '@sentinel/native-probes';
import { ManualClock } from '@sentinel/service-kit/clock';
import { TelemetryCollector } from './collector.js';
import type { LoudFault, Sensed } from './reading.js';

const SILENT: Sensed = { reading: null, problem: 'no answer within 5000 ms', lost: false };

function sensed(values: Record<string, number>, texts: Record<string, string> = {}): Sensed {
  return { reading: { values, texts }, problem: null, lost: false };
}

/** A collector of scripted devices. What a device says stays until it is changed. */
function collector(says: Record<string, Sensed | (() => Promise<Sensed>)>) {
  const clock = new ManualClock();
  const xids: XidEvent[] = [];
  const samples: TelemetrySample[] = [];
  const faults: LoudFault[] = [];
  const problems: [string, string | null][] = [];
  const looks: string[] = [];
  const made = new TelemetryCollector({
    sensors: Object.keys(says).map((deviceId) => ({
      deviceId,
      read: async () => {
        looks.push(deviceId);
        const said = says[deviceId] ?? SILENT;
        return typeof said === 'function' ? said() : said;
      },
    })),
    takeXids: async () => ({ events: xids.splice(0), problem: null }),
    intervalMs: 10_000,
    clock,
    send: async (sent) => void samples.push(...sent),
    onFault: (fault) => faults.push(fault),
    onProblem: (deviceId, problem) => problems.push([deviceId, problem]),
    close: async () => {},
  });
  const rounds = async (count: number) => {
    for (let k = 0; k < count; k += 1) {
      await made.round();
      clock.advanceMs(10_000);
    }
  };
  return { made, says, xids, samples, faults, problems, looks, rounds };
}

test('a round sends one sample a device, and later what changed; a new connection makes it whole again', async () => {
  const { made, says, samples, rounds } = collector({
    a: sensed({ ecc_uncorrected_volatile_total: 0 }),
    b: sensed({}),
  });
  await rounds(2);
  assert.deepEqual(
    samples.map(({ deviceId, partial, values }) => [deviceId, partial, values]),
    [
      ['a', false, { ecc_uncorrected_volatile_total: 0 }],
      ['b', false, {}],
    ],
  );
  says['a'] = sensed({ ecc_uncorrected_volatile_total: 2 });
  await rounds(1);
  assert.deepEqual([samples[2]?.partial, samples.length], [true, 3]);
  made.restart();
  await rounds(1);
  assert.deepEqual(
    samples.slice(3).map(({ partial }) => partial),
    [false, false],
  );
});

test('a device whose sensors hang is asked less and less often, the others at every interval', async () => {
  const { says, looks, problems, rounds } = collector({ a: SILENT, b: sensed({}) });
  await rounds(40);
  assert.equal(looks.filter((id) => id === 'b').length, 40);
  assert.equal(looks.filter((id) => id === 'a').length, 6, 'after 1, 2, 4, 8, 16 intervals');
  assert.deepEqual(problems, [['a', SILENT.problem]], 'and it is said once');
  says['a'] = sensed({});
  await rounds(40);
  assert.deepEqual(problems[1], ['a', null]);
});

test('a fault found in counters, and an Xid of the GPU of a MIG instance, mark the device for two intervals', async () => {
  const { made, says, xids, faults, rounds } = collector({
    'GPU-1': sensed({ ecc_uncorrected_volatile_total: 0 }),
    'MIG-2': sensed({}, { parent_uuid: 'GPU-2' }),
  });
  await rounds(1);
  assert.equal(await made.recently('GPU-1'), false);
  says['GPU-1'] = sensed({ ecc_uncorrected_volatile_total: 1 });
  assert.equal(await made.recently('GPU-1'), true, 'it is looked at when somebody asks');
  xids.push({ uuid: 'GPU-2', xid: 79, timeUs: 1 });
  assert.equal(await made.recently('MIG-2'), true);
  assert.deepEqual(faults, [
    { kind: 'ecc', deviceId: 'GPU-1', detail: 'uncorrectable ECC errors: 1 more' },
    { kind: 'xid', deviceId: 'MIG-2', detail: 'Xid 79 on GPU-2' },
  ]);
  await rounds(3);
  assert.deepEqual([await made.recently('GPU-1'), await made.recently('MIG-2')], [false, false]);
});

test('a lost device is a loud fault, once', async () => {
  const gone: Sensed = { reading: null, problem: 'nvmlDeviceGetTemperature: GPU_IS_LOST', lost: true };
  const { faults, rounds, made } = collector({ 'GPU-1': gone });
  await rounds(5);
  assert.deepEqual(faults, [{ kind: 'lost', deviceId: 'GPU-1', detail: gone.problem }]);
  assert.equal(made.latest.latest('GPU-1'), undefined);
});

test('who asks about a mismatch does not wait for sensors that hang', async () => {
  let release = (_: Sensed) => {};
  const hanging = () => new Promise<Sensed>((resolve) => (release = resolve));
  const { made, says } = collector({ 'GPU-1': sensed({}) });
  await made.round();
  says['GPU-1'] = hanging;
  const startMs = performance.now();
  assert.equal(await made.recently('GPU-1'), false);
  assert.ok(performance.now() - startMs < 30_000);
  release(SILENT);
  await made.stop();
});
