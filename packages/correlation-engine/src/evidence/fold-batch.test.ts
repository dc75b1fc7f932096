import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from './decision.js';
import { nodeOf } from './draft.js';
import { foldBatch, isTrustworthy } from './fold-batch.js';
import type { DeviceState } from './model/device.js';
import { newStep } from './step.js';
import { columns, INT_AES, type RunSpec } from './testing/batches.js';
import { deviceWith, draftOf, familyWith, NOW_US } from './testing/device.js';

const families = [familyWith(), familyWith({ family: INT_AES })];

function fold(device: DeviceState, specs: readonly RunSpec[]) {
  const draft = draftOf([device]);
  const step = newStep(draft, { commitSeq: 1, nowUs: NOW_US }, { kind: 'record', commitSeq: 1 }, posteriorOdds);
  const origin = { node: device.node, spoolId: '0'.repeat(32), sequence: 1, buildId: 'b', testBuild: false };
  const folded = foldBatch(step, { kind: 'batch', ...origin, batch: columns(NOW_US - 1000, device.id, specs) });
  return { draft, slots: folded?.slots ?? [] };
}

test('one slot per device and family, in whatever order the rows come', () => {
  const { slots } = fold(deviceWith('d', { families }), [{}, { family: INT_AES }, {}, { family: INT_AES, ran: [0] }]);
  const shown = slots.map(({ family, runs, executions, notRun }) => ({ family, runs, executions, notRun }));
  assert.deepEqual(shown, [
    { family: 1, runs: 2, executions: 8, notRun: 0 },
    { family: 2, runs: 2, executions: 5, notRun: 3 },
  ]);
});

test('single rows matter only while something hangs on them', () => {
  const attentive = (fields: Partial<DeviceState>) =>
    fold(deviceWith('d', { families, ...fields }), [{}]).slots[0]?.attentive;
  assert.equal(attentive({}), false);
  assert.equal(attentive({ state: 'SUSPECT' }), true);
  assert.equal(attentive({ families: [familyWith({ uncoveredSms: [3] })] }), true);
  assert.equal(attentive({ families: [familyWith({ firstCleanUs: null })] }), true);
});

test("the node's clock follows its newest run and is cut at the commit", () => {
  const lastEventUs = (offsetUs: number) => {
    const device = deviceWith('d', { families });
    return nodeOf(fold(device, [{ offsetUs }, {}]).draft, device.node)?.lastEventUs;
  };
  assert.equal(lastEventUs(300), NOW_US - 700);
  assert.equal(lastEventUs(5_000_000), NOW_US);
});

test('a run speaks for what passed in it only with an intact, agreed golden and without a loud fault', () => {
  assert.deepEqual([0, 1, 4, 5, 7].map(isTrustworthy), [false, false, false, true, false]);
});
