import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, changes } from '../evidence/draft.js';
import { dueAt } from '../evidence/state.js';
import { apply } from './apply.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

test('a tick that nothing waited for changes nothing', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.advance(5 * SECOND_US);
  const draft = begin(fleet.state);
  const effects = apply(draft, { commitSeq: 1000, nowUs: fleet.nowUs }, { kind: 'timer' });
  assert.deepEqual(changes(draft), {
    devices: [],
    removed: [],
    nodes: [],
    saved: [],
    fleet: null,
    config: null,
    canaries: null,
  });
  assert.deepEqual(effects.outbox, []);
});

test('the core asks for a timer exactly when time can change something', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  assert.equal(dueAt(fleet.state), undefined);
  fleet.failTwice('n1');
  const startUs = fleet.nowUs;
  assert.equal(dueAt(fleet.state), fleet.nowUs + 10 * SECOND_US, 'the end of the dwell');
  fleet.advance(10 * SECOND_US);
  assert.equal(fleet.device(deviceIdOf('n1')).state, 'QUARANTINED');
  const testUs = fleet.nowUs + 3600 * SECOND_US;
  assert.equal(dueAt(fleet.state), testUs, 'a deep test by itself');
  fleet.advance(testUs - fleet.nowUs);
  const hourUs = (Math.floor(startUs / (3600 * SECOND_US)) + 1) * 3600 * SECOND_US;
  assert.equal(dueAt(fleet.state), hourUs + 600 * SECOND_US, 'the hour of a node that fell silent');
  fleet.advance(hourUs + 600 * SECOND_US - fleet.nowUs);
  const learnUs = fleet.state.fleet.rates.dueUs ?? 0;
  assert.equal(dueAt(fleet.state), learnUs, 'the rates of healthy devices, a day after the first mismatch');
  const outUs = testUs - 3600 * SECOND_US;
  fleet.advance(learnUs - fleet.nowUs);
  assert.equal(dueAt(fleet.state), outUs + 720 * 3600 * SECOND_US, 'the longest time out of service');
});

test('a third node changes the dwell of a device that is held, soon after its hello', () => {
  const fleet = new Fleet();
  for (const node of ['n1', 'n2']) fleet.hello(node);
  fleet.failTwice('n1');
  fleet.hello('n3');
  fleet.advance(60 * SECOND_US);
  const device = fleet.device(deviceIdOf('n1'));
  assert.equal(device.state, 'SUSPECT');
  assert.equal(device.gates[3]?.inputs.dwell_seconds, '600');
  fleet.advance(600 * SECOND_US);
  assert.equal(fleet.device(deviceIdOf('n1')).state, 'QUARANTINED');
});
