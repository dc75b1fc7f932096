import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceState } from '../model/device.js';
import { deviceWith, draftOf, NOW_US, unitWith } from '../testing/device.js';
import { NODE_WINDOW_US, type NodeFault, nodeFault } from './node-fault.js';

const YEAR_US = 8766 * 3_600_000_000;
const SMS = Array.from({ length: 132 }, (_, sm) => sm);

/** What a device showed within the window: hard observations by SM, and scheduled ones on the first of them. */
interface Shown {
  counted: readonly number[];
  scheduled?: number;
  confirmed?: boolean;
}

/** Devices of one node after a year of service, in one family at 132 SMs once a minute. */
function nodeOf(shown: readonly Shown[], more: Partial<DeviceState> = {}): NodeFault {
  const devices = shown.map(({ counted, scheduled = 1, confirmed = false }, i) => {
    const units = counted.map((failures, sm) => unitWith({ sm, counted: failures }));
    const signals = { sm: 0, onSm: scheduled, elsewhere: 0, lastUs: {}, executions: [], failures: [] };
    const failed =
      counted.length === 0 ? {} : { units, signals, firstObservationUs: NOW_US, lastObservationUs: NOW_US };
    const known = confirmed ? { confirmed: [{ family: 1, sm: 0 }] } : {};
    return deviceWith(`gpu-${i}`, { node: 'n1', sms: SMS, ...failed, ...known, ...more });
  });
  const draft = draftOf(devices);
  const ran = { runs: 1, executions: 132 * 60 * 8766, failures: 0, notRun: 0 };
  for (const { id } of devices)
    draft.base.exposure.set(id, new Map([[1, { ...ran, firstRunUs: NOW_US - YEAR_US, lastRunUs: NOW_US }]]));
  return nodeFault(draft, devices[0] as DeviceState, NOW_US);
}

const quiet = (count: number): Shown[] => Array.from({ length: count }, () => ({ counted: [] }));
const once: Shown = { counted: [1] };
/** Twice on two SMs. */
const spread: Shown = { counted: [1, 1] };
/** The first mismatch, and ten of the burst on the same SM. */
const defect: Shown = { counted: [11] };

test('one device alone says nothing of the node', () => {
  assert.equal(nodeOf([defect, ...quiet(7)]).odds, 0);
  assert.equal(nodeOf([spread, once], { lastObservationUs: NOW_US - NODE_WINDOW_US }).odds, 0, 'nor do old mismatches');
});

test('a defect and a passing fault of a mate are that, on nodes of two devices as on those of eight', () => {
  for (const [mates, most] of [
    [0, 2],
    [2, 0.5],
    [6, 0.05],
  ] as const)
    assert.ok(nodeOf([defect, once, ...quiet(mates)]).odds < most, String(mates));
});

test('two defects on one node are two, whether bursts or the schedule came back to their SMs', () => {
  for (const mates of [0, 6]) {
    assert.ok(nodeOf([defect, defect, ...quiet(mates)]).odds < 0.5, String(mates));
    assert.ok(nodeOf([{ counted: [4], scheduled: 4 }, { counted: [4], scheduled: 4 }, ...quiet(mates)]).odds < 1e-3);
  }
});

test('failures all over several devices are a fault of the node', () => {
  for (const devices of [
    [spread, spread],
    [spread, spread, spread],
    [once, once, once, once, once, once],
  ])
    assert.ok(nodeOf([...devices, ...quiet(8 - devices.length)]).odds > 19);
});

test('a defect beside a fault of the node stays a defect', () => {
  const { odds, oddsOf } = nodeOf([{ counted: [30], scheduled: 5 }, spread, spread, ...quiet(5)]);
  assert.ok(odds > 19);
  assert.ok((oddsOf.get('gpu-0') ?? 1) < 0.01, 'its failures are its own');
  assert.ok((oddsOf.get('gpu-1') ?? 0) > 19);
});

test('a defect that is certain already needs no other explanation', () => {
  const certain = nodeOf([{ counted: [2], confirmed: true }, once, ...quiet(2)]);
  assert.ok(certain.odds < 1e-3, String(certain.odds));
});

test('whatever was counted, odds are finite; more of the same SM never speaks for the node, another SM never against it', () => {
  const shown = fc.record({
    counted: fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 12 }),
    scheduled: fc.integer({ min: 1, max: 1000 }),
    confirmed: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(shown, { minLength: 2, maxLength: 16 }), (node) => {
      const { odds, oddsOf } = nodeOf(node);
      for (const value of [odds, ...oddsOf.values()]) assert.ok(Number.isFinite(value) && value >= 0, String(value));
      const [first, ...others] = node;
      if (first === undefined) return;
      const [most = 0, ...rest] = first.counted.toSorted((a, b) => b - a);
      if (most === 0 || rest.length > 0 || first.confirmed) return;
      const again = nodeOf([{ ...first, counted: [most + 1] }, ...others]);
      assert.ok(again.odds <= odds * (1 + 1e-9), `${again.odds} after ${odds}`);
    }),
    { numRuns: 200 },
  );
});
