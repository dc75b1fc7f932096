import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotSent, Told } from '@sentinel/monitor-kit/report/outbox';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import { senderOf } from '../testing/job.js';
import { Devices } from './devices.js';
import { Reporter } from './reporter.js';

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

function reporter() {
  const told: Told[] = [];
  const notSent: NotSent[] = [];
  const found: Finding[] = [];
  const made = new Reporter({
    devices: new Devices('n', {}),
    outbox: { take: (each) => told.push(each) > 0 },
    onFinding: (finding) => found.push(finding),
    onNotSent: (reason) => notSent.push(reason),
    nowUs: () => 7n,
    log: silentLogger(),
  });
  return { take: made.take, told, notSent, found };
}

test('INFO stays here; that ranks agree again goes to the engine and is no anomaly', () => {
  const { take, told, notSent, found } = reporter();
  take(senderOf(2), { ...SOFT, severity: 'INFO' });
  take(senderOf(2), { ...HARD, severity: 'INFO' });
  assert.deepEqual([told.length, notSent, found.length], [1, ['info'], 1]);
});

test('findings are told apart by run, detector and ranks', () => {
  const { take, told } = reporter();
  take(senderOf(2), SOFT);
  take(senderOf(2), { ...SOFT, step: 2, value: 10 });
  take(senderOf(2), { ...SOFT, ranks: [0, 1] });
  take(senderOf(2, 0, { runId: 'another' }), SOFT);
  const [first, again, more, other] = told.map(({ key }) => key);
  assert.equal(first, again);
  assert.equal(new Set([first, more, other]).size, 3);
});

test('two files that changed are two findings', () => {
  const { take, told } = reporter();
  for (const about of ['a.pt', 'b.pt', 'a.pt'])
    take(senderOf(2), { ...SOFT, detector: 'checkpoint', ranks: [], about });
  const [first, other, again] = told.map(({ key }) => key);
  assert.equal(first, again);
  assert.notEqual(first, other);
});

test('what a job with fault injection shows is marked', () => {
  const { take, told } = reporter();
  take(senderOf(2, 0, { testBuild: true }), SOFT);
  assert.equal(told[0]?.testBuild, true);
});
