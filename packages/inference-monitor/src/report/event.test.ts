import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import type { Answer, Finding } from '../analysers/finding.js';
import { serverOf } from '../testing/server.js';
import { Devices } from './devices.js';
import { eventOf } from './event.js';

const NOW_US = 2_000_000_000n;
const SOFT: Finding = {
  ...{ type: 'ENTROPY_ANOMALY', detector: 'entropy-drift', severity: 'WARNING', workers: 'all' },
  ...{ timeUs: 1_999_000_000, value: 2, limit: 1.6, detail: 'The mean entropy drifts' },
};
const answers: readonly Answer[] = [
  { node: 'n2', gpu: 'GPU-9', replica: 'r2', digest: 'aaaaaaaa', again: false },
  { node: 'n', gpu: 'GPU-0', replica: 'r', digest: 'bbbbbbbb', again: false },
  { node: 'n', gpu: 'GPU-1', replica: 'r', digest: 'bbbbbbbb', again: false },
];
const HARD: Finding = {
  ...{ ...SOFT, type: 'REPLAY_MISMATCH', detector: 'replay' },
  compared: { answers, agreedBefore: 5, asked: true, stateEqual: true },
};
const devices = new Devices(() => ({ node_name: 'n', gpu_uuids: [], rank_device_map: {} }));
const event = (finding: Finding, server = serverOf()) => eventOf(server, finding, devices, NOW_US);

test('evidence on a replica is of all devices that take part', () => {
  const made = event(SOFT);
  assert.deepEqual(made?.gpus, ['GPU-0', 'GPU-1']);
  assert.deepEqual([made?.type, made?.severity], [AnomalyType.ENTROPY_ANOMALY, AnomalySeverity.WARNING]);
  assert.deepEqual([made?.source, made?.timeUs], ['inference-monitor/entropy-drift', 1_999_000_000n]);
  assert.deepEqual(made?.job, { id: 'm', gpus: 0, rank: 0, step: 0n, framework: 'vllm 0.32.0' });
});

test('a worker that is named is named alone', () => {
  const made = event({ ...SOFT, workers: [1] });
  assert.deepEqual([made?.gpus, made?.job?.rank], [['GPU-1'], 1]);
});

test('the accused come first, and devices of one replica have one vote', () => {
  const comparison = event(HARD)?.comparison;
  assert.deepEqual(
    comparison?.answers.map(({ gpu, rank, group }) => [gpu, rank, group]),
    [
      ['GPU-0', 1, 2],
      ['GPU-1', 1, 2],
      ['GPU-9', 0, 0],
    ],
  );
  assert.deepEqual([comparison?.agreedBefore, comparison?.asked, comparison?.stateEqual], [5n, true, true]);
});

test('a replica on CPUs is the only device of its node', () => {
  const cpu = answers.slice(0, 2).map((answer) => ({ ...answer, gpu: '' }));
  const compared = { answers: cpu, agreedBefore: 0, asked: false, stateEqual: false };
  const made = event({ ...HARD, compared }, serverOf({ gpus: [''] }));
  assert.deepEqual(made?.gpus, []);
  assert.deepEqual(
    made?.comparison?.answers.map(({ node }) => node),
    ['n', 'n2'],
  );
});

test('a comparison in which no device of this node answered is a violation without one', () => {
  const compared = { answers: answers.slice(0, 1), agreedBefore: 0, asked: false, stateEqual: false };
  assert.equal(event({ ...HARD, compared })?.type, AnomalyType.INVARIANT_VIOLATION);
  assert.equal(event({ ...HARD, compared, severity: 'INFO' }), null);
});

test('the job of replicas is their model, in so many bytes as the engine takes', () => {
  assert.equal(Buffer.byteLength(event(SOFT, serverOf({ model: 'ä'.repeat(100) }))?.job?.id ?? ''), 128);
  assert.equal(event(SOFT, serverOf({ model: '' }))?.job?.id, 'vllm 0.32.0');
});
