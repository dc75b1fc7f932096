import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnomalyEvent, AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { AnomalyPayload } from '../uplink/anomaly-spool.js';
import { type NotSent, Outbox } from './outbox.js';

const SOFT: AnomalyEvent = {
  ...{ type: AnomalyType.LOSS_SPIKE, source: 'training-monitor/loss', severity: AnomalySeverity.HIGH, timeUs: 1n },
  ...{
    gpus: ['GPU-0'],
    job: undefined,
    value: 9,
    limit: 5,
    detail: 'The loss is large',
    comparison: undefined,
    saved: undefined,
    loaded: undefined,
  },
};
const answers = ['a', 'b'].map((digest, rank) => ({
  node: 'n',
  gpu: '',
  rank,
  digest: Buffer.from(digest),
  again: false,
  group: 0,
}));
const HARD = { ...SOFT, comparison: { answers, agreedBefore: 0n, asked: false, stateEqual: false } };

function outbox({
  hasRoom = true as boolean | (() => boolean),
  full = false,
  batch = { events: 256, flushMs: 200 },
} = {}) {
  const records: AnomalyPayload[] = [];
  const notSent: NotSent[] = [];
  const state = { lost: 0 };
  const made = new Outbox({
    buildId: 'b',
    append: async (payload) => {
      if (full) throw new SentinelError({ code: 'RESOURCE_EXHAUSTED', message: 'full' });
      records.push(payload);
    },
    hasRoom: typeof hasRoom === 'boolean' ? () => hasRoom : hasRoom,
    onAppended: () => {},
    onNotSent: (reason, events) => void notSent.push(...Array.from({ length: events }, () => reason)),
    onLost: () => {
      state.lost += 1;
    },
    nowMs: () => 0,
    nowUs: () => 7n,
    batch: () => batch,
    log: silentLogger(),
  });
  const take = (event: AnomalyEvent, key = 'soft', testBuild = false) => made.take({ event, key, testBuild });
  return { made, take, records, notSent, state };
}

test('anomalies that come together are one record', async () => {
  const { made, take, records } = outbox();
  assert.equal(take(SOFT), true);
  assert.equal(take(HARD, 'hard'), true);
  await made.flush();
  assert.deepEqual(
    records.map(({ events, createdUs }) => [events.length, createdUs]),
    [[2, 7n]],
  );
});

test('a record has as many events as the setting says, and never more than the engine takes', async () => {
  for (const [events, expected] of [
    [2, [2, 1]],
    [4_096, [3]],
  ] as const) {
    const { made, take, records } = outbox({ batch: { events, flushMs: 60_000 } });
    for (const key of ['a', 'b', 'c']) take(SOFT, key);
    await made.flush();
    assert.deepEqual(
      records.map((record) => record.events.length),
      expected,
    );
  }
});

test('what a job with fault injection shows is a record of its own', async () => {
  const { made, take, records } = outbox();
  take(SOFT);
  take(SOFT, 'of a test', true);
  await made.flush();
  assert.deepEqual(
    records.map(({ testBuild }) => testBuild),
    [false, true],
  );
});

test('the last of the room is for comparisons; what finds none is dropped and counted', async () => {
  const { made, take, records, notSent } = outbox({ hasRoom: false });
  assert.equal(take(SOFT), false);
  assert.equal(take(HARD, 'hard'), true);
  await made.flush();
  assert.deepEqual([records[0]?.events.length, notSent], [1, ['spool_full']]);
  const full = outbox({ full: true });
  full.take(HARD);
  await full.made.flush();
  assert.deepEqual([full.notSent, full.state.lost], [['spool_full'], 0]);
});

test('what found no room is told once there is', () => {
  const room = [false, true];
  const { take, notSent } = outbox({ hasRoom: () => room.shift() ?? true });
  assert.deepEqual([take(SOFT), take(SOFT), take(SOFT)], [false, true, false]);
  assert.deepEqual(notSent, ['spool_full', 'repeated']);
});

test('the same anomaly is told once; that those who differed agree again is another thing', async () => {
  const { made, take, records, notSent } = outbox();
  take(SOFT);
  take(SOFT);
  take(HARD, 'hard');
  take({ ...HARD, severity: AnomalySeverity.INFO }, 'hard');
  await made.flush();
  assert.deepEqual([records[0]?.events.length, notSent], [3, ['repeated']]);
});
