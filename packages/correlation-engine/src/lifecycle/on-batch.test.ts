import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFlag } from '../evidence/model/terms.js';
import { columns, INT_AES, repeat } from '../evidence/testing/batches.js';
import { describe, deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function fresh(): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1');
  return fleet;
}

test('counters per device and family: runs, executions, failures, and what was planned and did not run', () => {
  const fleet = fresh();
  const { counters } = fleet.batch('n1', [
    {},
    { ran: [0, 1] },
    { family: INT_AES, fails: [{ sm: 0 }] },
    { single: 3, ran: [] },
  ]);
  const times = { firstRunUs: fleet.nowUs, lastRunUs: fleet.nowUs };
  assert.deepEqual(counters, [
    { deviceId: ID, family: 1, runs: 3, executions: 6, failures: 0, notRun: 3, ...times },
    { deviceId: ID, family: 2, runs: 1, executions: 4, failures: 1, notRun: 0, ...times },
  ]);
});

test('a clean batch of a healthy device that is covered changes nothing but the clock of its node', () => {
  const fleet = fresh();
  fleet.batch('n1', [{}, { family: INT_AES }]);
  const before = fleet.device(ID);
  fleet.nowUs += SECOND_US;
  fleet.batch('n1', repeat(64, {}));
  assert.equal(fleet.device(ID), before, 'not even copied');
});

test('coverage counts SMs that ran; the first clean run needs a golden that can be trusted', () => {
  const fleet = fresh();
  const family = () => fleet.device(ID).families[0];
  fleet.batch('n1', [{ ran: [0, 2], flags: RunFlag.GOLDEN_INTACT }]);
  assert.deepEqual(family()?.uncoveredSms, [1, 3]);
  assert.equal(family()?.firstCleanUs, null);
  fleet.batch('n1', [{ ran: [] }]);
  assert.equal(family()?.firstCleanUs, null);
  fleet.batch('n1', [{ single: 3 }]);
  assert.deepEqual(family()?.uncoveredSms, [1]);
  assert.equal(family()?.firstCleanUs, fleet.nowUs);
});

test('reports about a device of another node are ignored, and counted as that', () => {
  const fleet = fresh();
  fleet.hello('n2');
  const { counters, ignored, observations } = fleet.batch('n2', [{}, { device: ID, fails: [{ sm: 1 }] }]);
  assert.deepEqual(
    counters.map((entry) => entry.deviceId),
    [deviceIdOf('n2')],
  );
  assert.deepEqual(ignored, [{ node: 'n2', deviceId: ID, rows: 1, mismatches: 1 }]);
  assert.deepEqual(observations, []);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
});

test('a batch of a node that never said hello is ignored', () => {
  const fleet = new Fleet();
  const origin = { node: 'n9', spoolId: '0'.repeat(32), sequence: 1, buildId: 'b', testBuild: false };
  const { ignored } = fleet.commit({ kind: 'batch', ...origin, batch: columns(0, 'CPU-9', [{}]) });
  assert.deepEqual(ignored, [{ node: 'n9', deviceId: '', rows: 1, mismatches: 0 }]);
});

test('a device that no hello named is known from its reports, and counted', () => {
  const fleet = fresh();
  const { counters } = fleet.batch('n1', [{ device: 'CPU-new', fails: [{ sm: 1 }] }]);
  assert.equal(counters[0]?.deviceId, 'CPU-new');
  assert.equal(fleet.device('CPU-new').state, 'SUSPECT');
  fleet.hello('n1', { devices: [describe(ID), describe('CPU-new')] });
  assert.equal(fleet.device('CPU-new').announced, true);
});

test('a drained spool keeps its own times', () => {
  const fleet = fresh();
  fleet.nowUs += 1800 * SECOND_US;
  const { observations } = fleet.batch('n1', [{ offsetUs: 5, fails: [{ sm: 1 }] }], fleet.nowUs - 1000 * SECOND_US);
  assert.equal(observations[0]?.timeUs, fleet.nowUs - 1000 * SECOND_US + 5);
  assert.equal(fleet.device(ID).gates[3]?.verdict, 'PASS', 'its dwell has passed already');
});
