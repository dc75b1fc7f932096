import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG, configWith } from '../testing/config.js';
import { NOW_US } from '../testing/device.js';
import { dwellGate } from './dwell.js';

const after = (seconds: number, nodes: number, settings = CONFIG.gates) =>
  dwellGate(settings, nodes, NOW_US, NOW_US + seconds * 1_000_000);

test('600 s from three registered nodes on, 10 s below', () => {
  assert.equal(after(599, 3).verdict, 'HOLD');
  assert.equal(after(600, 3).verdict, 'PASS');
  assert.equal(after(9, 2).verdict, 'HOLD');
  assert.equal(after(10, 2).verdict, 'PASS');
});

test('while it holds it says when it opens, and by which setting', () => {
  assert.equal(after(4, 1).dueUs, NOW_US + 10_000_000);
  assert.equal(after(10, 1).dueUs, null);
  assert.equal(after(0, 1).inputs.setting, 'gates.dwell_small_seconds');
  assert.equal(after(0, 3).inputs.setting, 'gates.dwell_seconds');
});

test('settings apply at once', () => {
  assert.equal(after(0, 1, configWith({ dwell_small_seconds: 0 }).gates).verdict, 'PASS');
  assert.equal(after(20, 2, configWith({ small_fleet_nodes: 2 }).gates).verdict, 'HOLD');
});
