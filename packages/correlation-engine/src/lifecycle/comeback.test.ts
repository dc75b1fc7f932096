import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, deviceOf } from '../evidence/draft.js';
import type { Effects } from '../evidence/effects.js';
import { explain } from '../explain/explain.js';
import { apply } from './apply.js';
import { describe, deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const [HERE, THERE] = [deviceIdOf('n1'), deviceIdOf('n2')];
const board = (id: string, serial: string, slot = '') => describe(id, { serial, slot });
const told = ({ fleetDirectives }: Effects) => fleetDirectives.map(({ action, gpu, node }) => [action, gpu, node]);

/** Serial number A in the place of n1, quarantined because SM 1 failed. */
function quarantined(): Fleet {
  const fleet = new Fleet();
  fleet.quarantined('n1', { devices: [board(HERE, 'A')] });
  assert.equal(fleet.device(HERE).state, 'QUARANTINED');
  return fleet;
}

function condemned(): Fleet {
  const fleet = quarantined();
  fleet.operator(HERE, 'CONDEMN');
  return fleet;
}

function put(fleet: Fleet, node: string, serial: string): Effects {
  return fleet.hello(node, { devices: [board(deviceIdOf(node), serial)] });
}

test('condemned hardware stays condemned when it is put back after other hardware was in its place', () => {
  const fleet = condemned();
  const { stateSinceUs } = fleet.device(HERE);
  fleet.advance(SECOND_US);
  put(fleet, 'n1', 'B');
  assert.deepEqual([fleet.device(HERE).state, fleet.device(`${HERE}@A`).state], ['HEALTHY', 'CONDEMNED']);
  const back = put(fleet, 'n1', 'A');
  const { state, units, stateActor, returned, ...device } = fleet.device(HERE);
  assert.deepEqual([state, units.length, stateActor, device.stateSinceUs], ['CONDEMNED', 1, 'alice', stateSinceUs]);
  assert.deepEqual(returned, { from: `${HERE}@A`, us: fleet.nowUs });
  assert.deepEqual(told(back), [['CONDEMN', HERE, 'n1']]);
  assert.ok(eventNames(back).includes('condemned_device_returned'));
  const again = put(fleet, 'n1', 'A');
  assert.deepEqual([told(again), eventNames(again)], [[], []], 'said once');
  assert.equal(fleet.device(`${HERE}@B`).state, 'HEALTHY');
});

test('and in another node, after a restart too', () => {
  const fleet = condemned();
  put(fleet, 'n1', 'B');
  fleet.restart();
  const back = put(fleet, 'n2', 'A');
  assert.equal(fleet.device(THERE).state, 'CONDEMNED');
  assert.deepEqual(told(back), [['CONDEMN', THERE, 'n2']]);
  const [transition] = back.transitions;
  assert.deepEqual([transition?.from, transition?.to, transition?.actor], ['HEALTHY', 'CONDEMNED', 'alice']);
});

test('and when its node is gone for good', () => {
  const fleet = condemned();
  fleet.commit({ kind: 'node-left', node: 'n1' });
  put(fleet, 'n2', 'A');
  assert.equal(fleet.device(THERE).state, 'CONDEMNED');
  assert.equal(fleet.device(HERE).replaced?.by, THERE);
  put(fleet, 'n1', 'C');
  assert.equal(fleet.device(HERE).state, 'HEALTHY');
  assert.equal(fleet.device(`${HERE}@A`).state, 'CONDEMNED');
});

test('quarantined hardware that is put back goes on with its evidence, and is tested again when it is time', () => {
  const fleet = quarantined();
  const { units, stateReason, out, lastObservationUs } = fleet.device(HERE);
  put(fleet, 'n1', 'B');
  fleet.advance(60 * SECOND_US);
  const back = put(fleet, 'n1', 'A');
  const now = fleet.device(HERE);
  assert.deepEqual(
    [now.state, now.units, now.stateReason, now.out, now.lastObservationUs],
    ['QUARANTINED', units, stateReason, out, lastObservationUs],
  );
  assert.deepEqual(told(back), [['QUARANTINE', HERE, 'n1']]);
  fleet.advance(3_700 * SECOND_US);
  assert.equal(fleet.open(HERE, 'deep-test').units.length, 1);
});

test('what was learned elsewhere counts when it comes back to its first place', () => {
  const fleet = quarantined();
  fleet.commit({ kind: 'node-left', node: 'n1' });
  put(fleet, 'n2', 'A');
  fleet.operator(THERE, 'CONDEMN');
  fleet.commit({ kind: 'node-left', node: 'n2' });
  put(fleet, 'n1', 'A');
  assert.deepEqual([fleet.device(HERE).state, fleet.device(HERE).replaced], ['CONDEMNED', null]);
});

test('a deep test that the hardware left is over', () => {
  const fleet = quarantined();
  fleet.operator(HERE, 'SCHEDULE_DEEP_TEST');
  fleet.deepTestRuns('n1', 1);
  assert.equal(fleet.device(HERE).state, 'DEEP_TEST');
  put(fleet, 'n1', 'B');
  put(fleet, 'n1', 'A');
  assert.equal(fleet.device(HERE).state, 'QUARANTINED');
});

test('a serial number that several devices show, or one that is still there, is nobody’s', () => {
  const fleet = condemned();
  put(fleet, 'n2', 'A');
  assert.equal(fleet.device(THERE).state, 'HEALTHY', 'n1 still has it');
  fleet.commit({ kind: 'node-left', node: 'n1' });
  fleet.commit({ kind: 'node-left', node: 'n2' });
  put(fleet, 'n3', 'A');
  assert.equal(fleet.device(deviceIdOf('n3')).state, 'HEALTHY', 'two had it');
});

test('the same serial number of another vendor is other hardware', () => {
  const fleet = condemned();
  fleet.commit({ kind: 'node-left', node: 'n1' });
  fleet.hello('n2', { devices: [describe(THERE, { serial: 'A', vendor: 'Other' })] });
  assert.equal(fleet.device(THERE).state, 'HEALTHY');
});

test('a serial number that is read only later: it is out of service as it was, and what speaks against it already counts as well', () => {
  for (const [fleet, expected] of [
    [condemned(), 'CONDEMNED'],
    [quarantined(), 'QUARANTINED'],
  ] as const) {
    put(fleet, 'n1', 'B');
    fleet.hello('n2');
    fleet.batch('n2', [{ fails: [{ sm: 2 }] }]);
    put(fleet, 'n2', 'A');
    assert.equal(fleet.device(THERE).state, expected);
    assert.deepEqual(
      fleet.device(THERE).units.map(({ sm }) => sm),
      [2, 1],
    );
  }
});

/** U1 is out of service, and U2 is in its slot. */
function swappedGpu(...orders: readonly ('QUARANTINE' | 'CONDEMN')[]): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [board('GPU-1', 'A', 'slot 1')] });
  fleet.batch('n1', [{ device: 'GPU-1', fails: [{ sm: 1 }] }]);
  for (const order of orders) fleet.operator('GPU-1', order);
  fleet.hello('n1', { devices: [board('GPU-2', 'B', 'slot 1')] });
  return fleet;
}

test('a quarantined UUID that other hardware replaced is quarantined in another slot and in another node, while its first node is there', () => {
  for (const [node, slot] of [
    ['n1', 'slot 2'],
    ['n2', 'slot 1'],
  ] as const) {
    const fleet = swappedGpu('QUARANTINE');
    const devices = [board('GPU-1', 'A', slot), ...(node === 'n1' ? [board('GPU-2', 'B', 'slot 1')] : [])];
    const back = fleet.hello(node, { devices });
    const { state, units, ...device } = fleet.device('GPU-1');
    assert.deepEqual([state, units.length, device.node, device.announced], ['QUARANTINED', 1, node, true]);
    assert.deepEqual(told(back), [['QUARANTINE', 'GPU-1', node]]);
    assert.ok(eventNames(back).includes('device_returned'));
    assert.deepEqual(told(fleet.hello(node, { devices })), []);
  }
});

test('a board that is out of service and comes back divided is so in each instance', () => {
  for (const [orders, expected] of [
    [['QUARANTINE', 'CONDEMN'], 'CONDEMNED'],
    [['QUARANTINE'], 'QUARANTINED'],
    [[], 'HEALTHY'],
  ] as const) {
    const fleet = swappedGpu(...orders);
    fleet.hello('n2', { devices: [board('MIG-1', 'A', 'slot 1'), board('MIG-2', 'A', 'slot 1')] });
    assert.deepEqual(
      ['MIG-1', 'MIG-2'].map((id) => fleet.device(id).state),
      [expected, expected],
    );
  }
});

test('what comes back has nothing in common with what is kept: a transaction that is dropped leaves no trace', () => {
  const fleet = quarantined();
  put(fleet, 'n1', 'B');
  const before = JSON.stringify(fleet.saved());
  const draft = begin(fleet.state);
  const [nowUs, order] = [fleet.nowUs, { directiveId: 'o', gpu: HERE, reason: 'r', actor: 'a' }];
  const hello = { node: 'n1', identity: 'shared key', buildId: 'b', testBuild: false, agentTimeUs: nowUs } as const;
  apply(draft, { commitSeq: 100, nowUs }, { kind: 'hello', ...hello, devices: [board(HERE, 'A')] });
  apply(draft, { commitSeq: 101, nowUs }, { kind: 'operator', ...order, action: 'CONDEMN' });
  assert.equal(deviceOf(draft, HERE)?.confirmed.length, 1);
  assert.equal(JSON.stringify(fleet.saved()), before);
});

test('operators are told in words', () => {
  const fleet = condemned();
  put(fleet, 'n1', 'B');
  put(fleet, 'n2', 'A');
  const said = (id: string) => explain(fleet.state, id, fleet.nowUs)?.sentences.join(' ') ?? '';
  assert.match(
    said(THERE),
    /This hardware \(serial number A\) was condemned on 2027-.* UTC\. It came back on 2027-.* UTC, on n2, and stays condemned\. What it did before is under CPU-n1@A\./,
  );
  assert.match(said(`${HERE}@A`), /Other hardware is in its place/);
  const moved = quarantined();
  moved.commit({ kind: 'node-left', node: 'n1' });
  put(moved, 'n2', 'A');
  const words = (id: string) => explain(moved.state, id, moved.nowUs)?.sentences.join(' ') ?? '';
  assert.match(words(THERE), /was known when it came back on .*, on n2: it goes on with what speaks against it/);
  assert.match(words(HERE), /The same hardware is in use since .*: CPU-n2\. This is history\./);
});
