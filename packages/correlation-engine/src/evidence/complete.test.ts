import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from './decision.js';
import { begin } from './draft.js';
import type { DeviceState } from './model/device.js';
import type { FleetFacts } from './model/fleet.js';
import type { CoreConfig } from './model/settings.js';
import { loadState } from './state.js';
import { CONFIG } from './testing/config.js';
import { deviceWith, NOW_US, unitWith } from './testing/device.js';

/** Rows as the first release stored them. */
const { mode, reinstatementPassCount, priorAlpha, priorBeta } = CONFIG;
const { deep_test_after_hours, ...gates } = CONFIG.gates;
const config = { mode, gates, reinstatementPassCount, priorAlpha, priorBeta } as CoreConfig;
const fleet = { automaticQuarantinesUs: [], breadth: {}, incidents: {}, reviewUs: null } as unknown as FleetFacts;
function oldDevice(id: string, accused: number): DeviceState {
  const { posterior, consecutive, reinstatedUs, deepTestOther, ...unit } = unitWith({
    counted: accused,
    accused,
    answers: accused > 1 ? 1 : 0,
  });
  const { loudFaults, confirmed, soft, ...device } = deviceWith(id, { state: 'SUSPECT', units: [unit as never] });
  return device as DeviceState;
}

test('rows of the first release load, and their evidence counts', () => {
  const devices = [oldDevice('a', 2), oldDevice('b', 0)];
  const state = loadState({ config, devices, nodes: [], fleet, exposure: [] });
  assert.deepEqual(state.config.attribution, CONFIG.attribution);
  assert.deepEqual(state.fleet.rates, { dueUs: null, cohorts: {}, years: {} });
  const assess = (id: string) => posteriorOdds.assess(state.devices.get(id) as DeviceState, null, NOW_US, begin(state));
  assert.equal(assess('a').quarantine, true);
  assert.ok((assess('a').units[0]?.odds ?? 0) > 1e9);
  assert.equal(state.devices.get('b')?.units[0]?.posterior, null);
  assert.equal(assess('b').quarantine, false);
});

test('no deep test starts by itself under settings that did not know of it, and a device that was out already has failed none', () => {
  const out = { sinceUs: NOW_US, byEngine: true } as unknown as NonNullable<DeviceState['out']>;
  const devices = [deviceWith('a', { state: 'QUARANTINED', out }), oldDevice('b', 2)];
  const state = loadState({ config, devices, nodes: [], fleet, exposure: [] });
  assert.equal(state.config.gates.deep_test_after_hours, 0);
  assert.deepEqual(state.devices.get('a')?.out, { ...out, failedTests: 0, testedUs: null });
  assert.equal(state.devices.get('b')?.out, null);
});

test('what this release stored comes back byte for byte', () => {
  const device = deviceWith('d', { units: [unitWith({ counted: 1 })] });
  const state = loadState({ config: CONFIG, devices: [device], nodes: [], fleet: null, exposure: [] });
  assert.equal(JSON.stringify(state.config), JSON.stringify(CONFIG));
  assert.equal(JSON.stringify(state.devices.get('d')), JSON.stringify(device));
});
