import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveState } from '../evidence/state.js';
import { MAX_ARCHIVED } from './archive.js';
import { describe, deviceIdOf, Fleet } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const put = (fleet: Fleet, serial: string) => fleet.hello('n1', { devices: [describe(ID, { serial })] });

test('of hardware that was taken out so much is kept; condemned is given up last, and what is given up is counted', () => {
  const fleet = new Fleet();
  put(fleet, 'bad');
  fleet.operator(ID, 'QUARANTINE');
  fleet.operator(ID, 'CONDEMN');
  put(fleet, 'first');
  fleet.batch('n1', [{}]);
  for (let i = 0; i < MAX_ARCHIVED; i += 1) put(fleet, `serial ${i}`);
  const forgotten = fleet.committed.reduce((sum, { effects }) => sum + (effects.forgotten.archived_device ?? 0), 0);
  assert.equal(forgotten, 1);
  assert.equal(fleet.state.devices.size, MAX_ARCHIVED + 1);
  assert.ok(!fleet.state.devices.has(`${ID}@first`), 'what left first of what nothing speaks against');
  assert.ok(!saveState(fleet.state).exposure.some(({ deviceId }) => deviceId === `${ID}@first`), 'and what it ran');
  put(fleet, 'bad');
  assert.equal(fleet.device(ID).state, 'CONDEMNED');
  const before = JSON.stringify(fleet.saved());
  fleet.restart();
  assert.equal(JSON.stringify(fleet.saved()), before);
});
