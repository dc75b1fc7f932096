import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG, NO_QUARANTINES } from '../testing/config.js';
import { NOW_US } from '../testing/device.js';
import { DAY_US, rateLimitGate } from './rate-limit.js';

const HOUR_US = DAY_US / 24;
const ago = (...hours: number[]) => hours.map((hour) => NOW_US - hour * HOUR_US);
const gate = (devices: number, quarantinesUs: number[], rate_limit = CONFIG.gates.rate_limit) =>
  rateLimitGate({ ...CONFIG.gates, rate_limit }, devices, quarantinesUs, NOW_US);

test('a small fleet: 2 in an hour, 4 in a day', () => {
  assert.equal(gate(1, ago(0.5)).verdict, 'PASS');
  assert.equal(gate(1, ago(0.5, 0.2)).verdict, 'HOLD');
  assert.equal(gate(1, ago(2, 3, 4)).verdict, 'PASS');
  assert.equal(gate(1, ago(2, 3, 4, 5)).verdict, 'HOLD');
});

test('a large fleet: 0.5 % in an hour, 2 % in a day', () => {
  assert.equal(gate(1000, Array(4).fill(NOW_US)).verdict, 'PASS');
  assert.equal(gate(1000, Array(5).fill(NOW_US)).verdict, 'HOLD');
  assert.equal(gate(1000, Array(19).fill(NOW_US - 2 * HOUR_US)).verdict, 'PASS');
  assert.equal(gate(1000, Array(20).fill(NOW_US - 2 * HOUR_US)).verdict, 'HOLD');
});

test('it says when it opens again: when enough have left the fuller window', () => {
  assert.equal(gate(1, ago(0.75, 0.25)).dueUs, NOW_US + 0.25 * HOUR_US);
  assert.equal(gate(1, ago(5, 4, 3, 2)).dueUs, NOW_US + 19 * HOUR_US);
  assert.equal(gate(1, ago(0.75, 0.5, 0.25)).dueUs, NOW_US + 0.5 * HOUR_US, 'two of three have to leave');
});

test('0 holds all, and time alone does not open it', () => {
  const answer = gate(1, [], NO_QUARANTINES);
  assert.equal(answer.verdict, 'HOLD');
  assert.equal(answer.dueUs, null);
});
