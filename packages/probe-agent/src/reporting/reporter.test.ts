import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { AgentEvent_Kind as Kind, type UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { systemClock } from '@sentinel/service-kit/clock';
import type { ProbeRun } from '../execution/run.js';
import { Reporter } from './reporter.js';

const MISMATCH = {
  lane: 0,
  iteration: 0,
  operands: [],
  expected: [],
  actual: [],
  expectedDigest: 1,
  actualDigest: 2,
  mismatchCount: 1,
  place: null,
};

function run(epoch: number, failed = false): ProbeRun {
  const result = {
    sm: 0,
    result: failed ? ProbeResult.FAIL : ProbeResult.PASS,
    reason: '',
    digest: 1,
    mismatch: failed ? MISMATCH : null,
  };
  return {
    deviceId: 'CPU-a',
    family: 'fma32',
    kind: RunKind.SCHEDULED,
    epoch,
    index: 0,
    startUs: epoch,
    durationUs: 1,
    singleSm: null,
    results: [result],
    goldenDigest: 1,
    goldenAgreed: true,
    goldenIntact: true,
    loudFault: false,
    directiveId: null,
    context: undefined,
  };
}

function reporter(options: { batchSize?: number; flushIntervalMs?: number } = {}) {
  const written: UplinkPayload[] = [];
  const made = new Reporter({
    buildId: 'build',
    testBuild: true,
    batchSize: 3,
    flushIntervalMs: 60_000,
    smsOf: () => [0],
    clock: systemClock,
    append: async (payload) => {
      written.push(payload);
    },
    ...options,
  });
  const epochs = () => written.map(({ body }) => (body?.$case === 'probeBatch' ? body.value.epoch : body?.$case));
  return { made, written, epochs };
}

test('passing runs wait until the batch is full', async () => {
  const { made, epochs } = reporter();
  for (let epoch = 1; epoch <= 7; epoch++) await made.runs([run(epoch)]);
  assert.deepEqual(epochs(), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  await made.flush();
  assert.deepEqual(epochs().at(-1), [7]);
});

test('a mismatch is written before its caller goes on, with what waited before it', async () => {
  const { made, written, epochs } = reporter({ batchSize: 100 });
  await made.runs([run(1)]);
  await made.runs([run(2, true), run(2)]);
  assert.deepEqual(epochs(), [[1, 2, 2]]);
  assert.deepEqual([written[0]?.buildId, written[0]?.testBuild], ['build', true]);
});

test('runs wait no longer than the flush interval, and events keep their place', async () => {
  const { made, epochs } = reporter({ flushIntervalMs: 20 });
  await made.runs([run(1)]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await made.event(Kind.AGENT_STOPPED, '', '');
  assert.deepEqual(epochs(), [[1], 'events']);
});
