import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import type { Finding } from '../analysers/finding.js';
import type { Sender } from '../grouping/record.js';
import { senderOf } from '../testing/job.js';
import { Devices } from './devices.js';
import { eventOf as at } from './event.js';

const NODE = 'engine-name';
const NOW_US = 2_000_000_000n;

function eventOf(job: Sender, finding: Finding, devices: Devices) {
  return at(job, finding, devices, NOW_US);
}
const FINDING: Finding = {
  ...{ type: 'REPLICA_MISMATCH', detector: 'replica', severity: 'CRITICAL', ranks: [1] },
  ...{ step: 9, timeUs: 42, value: 1, limit: 0, detail: 'Rank 1 differs' },
  compared: {
    answers: ['aaaaaaaa', 'bbbbbbbb', 'aaaaaaaa'].map((digest, rank) => ({ rank, digest, again: false })),
    agreedBefore: 3,
    asked: false,
  },
};

/** Ranks 0 and 1 are here, rank 2 is elsewhere. */
function twoNodes(gpu: (rank: number) => string = (rank) => `GPU-${rank}`): Sender {
  const places = [0, 1, 2].map((rank) => ({ node: rank < 2 ? 'here' : 'there', gpu: gpu(rank), replicaGroup: 1 }));
  return senderOf(3, 0, { places });
}

test('a comparison names the device, every answer with its node, the own node as the engine knows it', () => {
  const event = eventOf(twoNodes(), FINDING, new Devices(NODE, {}));
  assert.equal(event?.type, AnomalyType.REPLICA_MISMATCH);
  assert.equal(event?.severity, AnomalySeverity.CRITICAL);
  assert.deepEqual(event?.gpus, ['GPU-1']);
  assert.deepEqual(
    event?.comparison?.answers.map(({ gpu, node }) => [gpu, node]),
    [
      ['GPU-1', NODE],
      ['GPU-0', NODE],
      ['GPU-2', 'there'],
    ],
  );
  assert.deepEqual([event?.job?.gpus, event?.job?.rank, event?.job?.step], [3, 1, 9n]);
});

test('what is of other nodes alone is left to their analysers', () => {
  assert.equal(eventOf(twoNodes(), { ...FINDING, ranks: [2] }, new Devices(NODE, {})), null);
  assert.deepEqual(eventOf(twoNodes(), { ...FINDING, ranks: [0, 2] }, new Devices(NODE, {}))?.gpus, ['GPU-0']);
});

test('a rank that says no device has that of the map', () => {
  const devices = new Devices(NODE, { 0: 'CPU-a', 1: 'CPU-b', 2: 'CPU-c' });
  const event = eventOf(
    twoNodes(() => ''),
    FINDING,
    devices,
  );
  assert.deepEqual([event?.gpus, event?.job?.gpus], [['CPU-b'], 3]);
});

test('a comparison of a job that says no devices is left to the engine, which may know the only one of a node', () => {
  const job = twoNodes(() => '');
  const event = eventOf(job, FINDING, new Devices(NODE, {}));
  assert.equal(event?.type, AnomalyType.REPLICA_MISMATCH);
  assert.deepEqual([event?.gpus, event?.job?.gpus], [[], 0]);
  const [accused] = event?.comparison?.answers ?? [];
  assert.deepEqual([accused?.node, accused?.gpu, accused?.rank], [NODE, '', 1]);
});

test('one to which no rank of this node gave an answer is a soft event of the node', () => {
  const compared = { answers: [], agreedBefore: 0, asked: false };
  const event = eventOf(twoNodes(), { ...FINDING, compared }, new Devices(NODE, {}));
  assert.equal(event?.type, AnomalyType.CROSS_RANK_DIVERGENCE);
  assert.equal(eventOf(twoNodes(), { ...FINDING, compared, severity: 'INFO' }, new Devices(NODE, {})), null);
});

test('what names no rank is of the node', () => {
  const { compared: _, ...plain } = FINDING;
  const event = eventOf(twoNodes(), { ...plain, type: 'CHECKPOINT_DIVERGENCE', ranks: [] }, new Devices(NODE, {}));
  assert.deepEqual([event?.gpus, event?.comparison], [[], undefined]);
});

test('a detail has at most 500 bytes, and ends between characters', () => {
  const event = eventOf(twoNodes(), { ...FINDING, detail: 'ä'.repeat(400) }, new Devices(NODE, {}));
  assert.ok(Buffer.byteLength(event?.detail ?? '') <= 500);
  assert.match(event?.detail ?? '', /^ä{248}…$/);
});

test('a job of more ranks than a comparison may have keeps the accused and its own answer', () => {
  const digests = Array.from({ length: 2_000 }, (_, rank) => (rank === 1_500 ? 'bbbbbbbb' : 'aaaaaaaa'));
  const answers = digests.map((digest, rank) => ({ rank, digest, again: false }));
  const finding = { ...FINDING, ranks: [1_500], compared: { answers, agreedBefore: 0, asked: false } };
  const event = eventOf(senderOf(2_000), finding, new Devices(NODE, {}));
  assert.equal(event?.comparison?.answers.length, 1_024);
  assert.equal(event?.comparison?.answers[0]?.rank, 1_500);
});

test('a time that the job cannot have meant is now', () => {
  const devices = new Devices(NODE, {});
  const timeOf = (timeUs: number) => eventOf(twoNodes(), { ...FINDING, timeUs }, devices)?.timeUs;
  assert.equal(timeOf(1_999_000_000), 1_999_000_000n);
  assert.equal(timeOf(2_000_000_001), NOW_US);
  assert.equal(timeOf(42), NOW_US);
});
