import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import { senderOf } from '../testing/job.js';
import type { AnomalyPayload } from '../uplink/anomaly-spool.js';
import { Devices } from './devices.js';
import { type NotSent, Reporter } from './reporter.js';

const SOFT: Finding = {
  ...{ type: 'LOSS_SPIKE', detector: 'loss', severity: 'HIGH', ranks: [0], step: 1, timeUs: 1 },
  ...{ value: 9, limit: 5, detail: 'The loss is large' },
};
const answers = ['aaaaaaaa', 'bbbbbbbb'].map((digest, rank) => ({ rank, digest, again: false }));
const HARD: Finding = {
  ...SOFT,
  type: 'REPLICA_MISMATCH',
  detector: 'replica',
  compared: { answers, agreedBefore: 0, asked: false },
};

function reporter({ hasRoom = true, full = false } = {}) {
  const records: AnomalyPayload[] = [];
  const notSent: NotSent[] = [];
  const state = { full, counted: 0, lost: 0 };
  const made = new Reporter({
    devices: new Devices('n', {}),
    buildId: 'b',
    append: async (payload) => {
      if (state.full) throw new SentinelError({ code: 'RESOURCE_EXHAUSTED', message: 'full' });
      records.push(payload);
    },
    hasRoom: () => hasRoom,
    onAppended: () => {},
    onFinding: () => {
      state.counted += 1;
    },
    onNotSent: (reason, events) => void notSent.push(...Array.from({ length: events }, () => reason)),
    onLost: () => {
      state.lost += 1;
    },
    nowMs: () => 0,
    nowUs: () => 7n,
    log: silentLogger(),
  });
  return { made, records, notSent, state };
}

test('findings that come together are one record', async () => {
  const { made, records, state } = reporter();
  made.take(senderOf(2), SOFT);
  made.take(senderOf(2), HARD);
  await made.flush();
  assert.deepEqual(
    records.map(({ events, createdUs }) => [events.length, createdUs]),
    [[2, 7n]],
  );
  assert.equal(state.counted, 2);
});

test('INFO stays here; that ranks agree again goes to the engine and is no anomaly', async () => {
  const { made, records, notSent, state } = reporter();
  made.take(senderOf(2), { ...SOFT, severity: 'INFO' });
  made.take(senderOf(2), { ...HARD, severity: 'INFO' });
  await made.flush();
  assert.deepEqual([records.length, notSent, state.counted], [1, ['info'], 1]);
});

test('what a job with fault injection shows is a record of its own', async () => {
  const { made, records } = reporter();
  made.take(senderOf(2), SOFT);
  made.take(senderOf(2, 0, { testBuild: true, jobId: 'test' }), SOFT);
  await made.flush();
  assert.deepEqual(
    records.map(({ testBuild }) => testBuild),
    [false, true],
  );
});

test('the last of the room is for comparisons; what finds none is dropped and counted', async () => {
  const { made, records, notSent } = reporter({ hasRoom: false });
  made.take(senderOf(2), SOFT);
  made.take(senderOf(2), HARD);
  await made.flush();
  assert.deepEqual([records[0]?.events.length, notSent], [1, ['spool_full']]);
  const full = reporter({ full: true });
  full.made.take(senderOf(2), HARD);
  await full.made.flush();
  assert.deepEqual([full.notSent, full.state.lost], [['spool_full'], 0]);
});

test('the same finding is told once', async () => {
  const { made, records, notSent } = reporter();
  made.take(senderOf(2), SOFT);
  made.take(senderOf(2), SOFT);
  await made.flush();
  assert.deepEqual([records[0]?.events.length, notSent], [1, ['repeated']]);
});
