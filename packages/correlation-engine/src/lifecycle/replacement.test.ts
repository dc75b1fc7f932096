import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveState } from '../evidence/state.js';
import { describe, deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const SLOT = '0000:17:00.0';
const gpu = (id: string, fields: { serial?: string; slot?: string } = {}) => describe(id, { slot: SLOT, ...fields });
const named = (fleet: Fleet, id: string) => {
  const { state, units, replaced, announced } = fleet.device(id);
  return { state, units: units.length, replaced: replaced?.by ?? null, announced };
};

/** A device that failed, by another id than the fleet's usual one. */
function failing(first = describe(ID, { serial: 'A', slot: SLOT })): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [first] });
  fleet.batch('n1', [{ device: first.id, fails: [{ sm: 1 }] }]);
  fleet.advance(SECOND_US);
  return fleet;
}

test('another serial under the same id starts fresh, and what was known stays with the old hardware', () => {
  const fleet = failing();
  const swapped = fleet.hello('n1', { devices: [describe(ID, { serial: 'B', slot: SLOT })] });
  assert.deepEqual(named(fleet, ID), { state: 'HEALTHY', units: 0, replaced: null, announced: true });
  assert.deepEqual(named(fleet, `${ID}@A`), { state: 'SUSPECT', units: 1, replaced: ID, announced: false });
  assert.deepEqual(swapped.moved, [{ from: ID, to: `${ID}@A` }]);
  assert.ok(eventNames(swapped).includes('device_replaced'));
  assert.equal(swapped.directives.filter(({ op }) => op === 'cancel').length, 1, 'its burst is called off');
  const exposed = saveState(fleet.state).exposure.map(({ deviceId }) => deviceId);
  assert.ok(exposed.includes(`${ID}@A`) && !exposed.includes(ID), 'and what it ran is not the new hardware’s');
  fleet.batch('n1', [{}]);
  assert.equal(fleet.state.exposure.get(ID)?.get(1)?.executions, 4);
  assert.deepEqual(fleet.device(`${ID}@A`).dueUs, null);
});

test('the same serial again, or one that is not known, changes nothing', () => {
  const fleet = failing();
  for (const serial of ['A', '']) fleet.hello('n1', { devices: [describe(ID, { serial, slot: SLOT })] });
  assert.deepEqual(named(fleet, ID), { state: 'SUSPECT', units: 1, replaced: null, announced: true });
});

test('serials that come and go are told apart, and each is kept once', () => {
  const fleet = failing();
  for (const serial of ['B', 'A', 'B', 'A']) fleet.hello('n1', { devices: [describe(ID, { serial, slot: SLOT })] });
  assert.deepEqual([...fleet.state.devices.keys()].sort(), [ID, `${ID}@A`, `${ID}@B`]);
  assert.deepEqual(named(fleet, ID), { state: 'SUSPECT', units: 1, replaced: null, announced: true });
});

test('other hardware in the place of what was out of service: whoever places jobs is told', () => {
  const fleet = failing();
  fleet.operator(ID, 'QUARANTINE');
  const swapped = fleet.hello('n1', { devices: [describe(ID, { serial: 'B' })] });
  assert.deepEqual(
    swapped.fleetDirectives.map(({ action, gpu, from, to }) => ({ action, gpu, from, to })),
    [{ action: 'REINSTATE', gpu: ID, from: 'QUARANTINED', to: 'HEALTHY' }],
  );
});

test('instances of one board, in one slot, do not replace each other', () => {
  const fleet = new Fleet();
  const devices = [gpu('MIG-1', { serial: 'A' }), gpu('MIG-2', { serial: 'A' })];
  fleet.hello('n1', { devices });
  assert.ok(!eventNames(fleet.hello('n1', { devices })).includes('device_replaced'));
});

test('another UUID in the slot starts fresh; the old one is replaced, keeps its state, and nothing more is asked of it', () => {
  const fleet = failing(gpu('GPU-old'));
  fleet.operator('GPU-old', 'QUARANTINE', { requiresApproval: true });
  const swapped = fleet.hello('n1', { devices: [gpu('GPU-new')] });
  assert.deepEqual(named(fleet, 'GPU-new'), { state: 'HEALTHY', units: 0, replaced: null, announced: true });
  assert.deepEqual(named(fleet, 'GPU-old'), { state: 'SUSPECT', units: 1, replaced: 'GPU-new', announced: false });
  assert.deepEqual(
    swapped.proposals.map(({ outcome }) => outcome),
    ['WITHDRAWN'],
  );
  fleet.advance(3_600_000_000_000);
  assert.equal(fleet.device('GPU-old').state, 'SUSPECT');
  fleet.hello('n1', { devices: [gpu('GPU-old', { slot: 'elsewhere' }), gpu('GPU-new')] });
  assert.equal(fleet.device('GPU-old').replaced, null, 'it is back, in another slot');
  assert.equal(fleet.device('GPU-new').replaced, null);
});

test('devices in slots of their own replace nobody', () => {
  const fleet = failing(gpu('GPU-1'));
  const other = gpu('GPU-2', { slot: '0000:65:00.0' });
  assert.ok(!eventNames(fleet.hello('n1', { devices: [gpu('GPU-1'), other] })).includes('device_replaced'));
  fleet.hello('n1', { devices: [other] });
  assert.deepEqual([fleet.device('GPU-1').replaced, fleet.device('GPU-2').replaced], [null, null]);
});

test('devices without a slot replace nobody', () => {
  const fleet = failing(describe('GPU-old'));
  fleet.hello('n1', { devices: [describe('GPU-new')] });
  assert.equal(fleet.device('GPU-old').replaced, null);
});

test('a condemned UUID that comes back stays condemned, wherever, whatever serial it says; the ledger is told once', () => {
  const fleet = failing(gpu('GPU-bad', { serial: 'A' }));
  fleet.operator('GPU-bad', 'QUARANTINE');
  fleet.operator('GPU-bad', 'CONDEMN');
  fleet.hello('n1', { devices: [gpu('GPU-new')] });
  fleet.commit({ kind: 'node-left', node: 'n1' });
  const back = fleet.hello('n2', { devices: [gpu('GPU-bad', { serial: 'B' })] });
  assert.equal(fleet.device('GPU-bad').state, 'CONDEMNED');
  assert.ok(eventNames(back).includes('condemned_device_returned'));
  const again = fleet.hello('n2', { devices: [gpu('GPU-bad', { serial: 'B' })] });
  assert.ok(!eventNames(again).includes('condemned_device_returned'));
});

test('a replacement survives a restart', () => {
  const fleet = failing();
  fleet.hello('n1', { devices: [describe(ID, { serial: 'B', slot: SLOT })] });
  const before = JSON.stringify(fleet.saved());
  fleet.restart();
  assert.equal(JSON.stringify(fleet.saved()), before);
});
