import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AnomalyServiceClient, AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { EngineStub, TEST_TOKEN } from '../testing/engine-stub.js';
import { temporaryFolder, until } from '../testing/until.js';
import { type AnomalyPayload, type AnomalySpool, openAnomalySpool } from './anomaly-spool.js';
import { Uplink } from './uplink.js';

const root = temporaryFolder();

function payload(value: number, testBuild = false): AnomalyPayload {
  const event = {
    ...{ type: AnomalyType.LOSS_SPIKE, source: 'training-monitor/loss', severity: AnomalySeverity.HIGH, timeUs: 1n },
    ...{
      gpus: ['GPU-0'],
      job: undefined,
      value,
      limit: 1,
      detail: `number ${value}`,
      comparison: undefined,
      saved: undefined,
      loaded: undefined,
    },
  };
  return { createdUs: 1n, buildId: 'b', testBuild, events: [event] };
}

async function linked(t: TestContext, token = TEST_TOKEN) {
  const engine = new EngineStub();
  await engine.start();
  const spool = await openAnomalySpool(
    'training-monitor',
    spoolFolder(join(root, randomBytes(6).toString('hex')), () => randomBytes(16)),
    1 << 20,
    'training_monitor.spool.max_bytes',
  );
  const seen = { errors: [] as SentinelError[], givenUp: 0, connected: 0, token, address: engine.address };
  const uplink = new Uplink({
    node: 'node-1',
    spool,
    connect: () => createClient(AnomalyServiceClient, { address: seen.address, tls: null, token: seen.token }),
    onConnected: () => {
      seen.connected += 1;
    },
    onDisconnect: (error) => seen.errors.push(error),
    onWarning: () => {},
    onGivenUp: (records) => {
      seen.givenUp += records;
    },
    random: () => 0,
  });
  uplink.start();
  t.after(async () => {
    await uplink.stop();
    await spool.close();
    await engine.stop();
  });
  const append = async (value: number, testBuild = false) => {
    await spool.append(payload(value, testBuild));
    uplink.wake();
  };
  return { engine, spool, seen, append };
}

const values = ({ received }: EngineStub) => received.map(({ sequence, events }) => [sequence, events[0]?.value]);

test('records arrive in order and are forgotten once they are committed', async (t) => {
  const { engine, spool, append } = await linked(t);
  for (let k = 1; k <= 300; k += 1) await append(k);
  await until('all committed', () => spool.records === 0);
  assert.deepEqual(
    values(engine),
    Array.from({ length: 300 }, (_, k) => [BigInt(k + 1), k + 1]),
  );
});

test('an engine that goes and comes back gets what it has not committed, and no more than that twice', async (t) => {
  const { engine, spool, seen, append } = await linked(t);
  engine.acknowledging = false;
  for (const k of [1, 2, 3]) await append(k);
  await until('all received', () => engine.received.length === 3);
  // Two were committed, and the answer was lost.
  engine.committed = 2n;
  await engine.stop();
  await append(4);
  engine.acknowledging = true;
  // Its port may be another's by now.
  await engine.start();
  seen.address = engine.address;
  await until('all committed', () => spool.records === 0);
  assert.deepEqual([...engine.distinct().keys()], [1n, 2n, 3n, 4n]);
  assert.equal(engine.committed, 4n);
  assert.ok(seen.errors.some(({ code }) => code === 'UNAVAILABLE'));
});

test('a record that the engine finds wrong every time is given up after three times, and what follows goes on', async (t) => {
  const { engine, spool, seen, append } = await linked(t);
  engine.refusing = ({ events }) =>
    events[0]?.value === 2
      ? new SentinelError({ code: 'INVALID_ARGUMENT', field: 'events[0]', message: 'wrong' })
      : null;
  for (const k of [1, 2, 3]) await append(k);
  await until('all committed', () => spool.records === 0);
  assert.equal(seen.givenUp, 1);
  // Once more where the first is not acknowledged yet when the second is refused.
  const refusals = seen.errors.filter(({ code }) => code === 'INVALID_ARGUMENT').length;
  assert.ok(refusals === 3 || refusals === 4, `${refusals} refusals`);
  assert.deepEqual(
    [...engine.distinct().values()].map(({ events }) => events[0]?.source),
    ['training-monitor/loss', 'training-monitor/given-up', 'training-monitor/loss'],
  );
});

test('of records that arrive together only the wrong one is given up, though what precedes it is not committed then', async (t) => {
  const { engine, spool, seen, append } = await linked(t);
  engine.acknowledging = false;
  engine.refusing = ({ events }) => {
    if (events[0]?.value !== 3) return null;
    return new SentinelError({ code: 'INVALID_ARGUMENT', field: 'events[0]', message: 'wrong' });
  };
  for (const k of [1, 2, 3, 4]) await append(k);
  // An engine commits together what has come, and ends the stream of a wrong record before it has told.
  await until('refused', () => seen.errors.length > 0);
  const commit = setInterval(() => engine.commit(), 50);
  t.after(() => clearInterval(commit));
  await until('all committed', () => spool.records === 0);
  const kept = new Map([...engine.distinct()].map(([sequence, { events }]) => [sequence, events[0]?.source]));
  assert.deepEqual(
    [...kept].sort(([a], [b]) => Number(a - b)),
    ['loss', 'loss', 'given-up', 'loss'].map((source, k) => [BigInt(k + 1), `training-monitor/${source}`]),
  );
  assert.equal(seen.givenUp, 1);
});

test('before there is anything to send a connection is tried, until the engine takes it', async (t) => {
  const { engine, seen } = await linked(t, 'a wrong token');
  await until('refused', () => seen.errors.length >= 2);
  assert.deepEqual([...new Set(seen.errors.map(({ reason }) => reason))], ['CREDENTIALS_INVALID']);
  assert.deepEqual([seen.connected, engine.callers], [0, []]);
  seen.token = TEST_TOKEN;
  await until('taken', () => seen.connected === 1);
  assert.deepEqual([engine.callers, engine.received], [['service'], []]);
});

test('an engine that refuses this monitor is asked again, and nothing is given up', async (t) => {
  const { engine, spool, seen, append } = await linked(t);
  let refusals = 0;
  engine.refusing = () => {
    refusals += 1;
    return refusals <= 2
      ? new SentinelError({ code: 'FAILED_PRECONDITION', reason: 'HELLO_REQUIRED', message: 'no hello' })
      : null;
  };
  await append(1);
  await until('committed', () => spool.records === 0);
  assert.deepEqual([seen.givenUp, seen.errors.map(({ reason }) => reason)], [0, ['HELLO_REQUIRED', 'HELLO_REQUIRED']]);
});

test('one that is stopped while it gives up what was refused does not wait for the next try', async () => {
  const reached = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const acknowledge = () => {
    reached.resolve();
    return held.promise;
  };
  const uplink = new Uplink({
    node: 'node-1',
    spool: { records: 0, firstSequence: 1n, acknowledge } as unknown as AnomalySpool,
    connect: () => {
      throw new SentinelError({ code: 'UNAVAILABLE', message: 'away', retryAfterMs: 600_000 });
    },
    onConnected: () => {},
    onDisconnect: () => assert.fail('nothing is tried again'),
    onWarning: () => {},
    onGivenUp: () => {},
  });
  uplink.start();
  await reached.promise;
  const stopped = uplink.stop();
  held.resolve();
  await stopped;
});
