import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configWith } from '../evidence/testing/config.js';
import { deviceIdOf, Fleet } from '../lifecycle/testing/fleet.js';
import { reinstatement } from './reinstatement.js';

const ID = deviceIdOf('n1');
const progress = (fleet: Fleet) => reinstatement(fleet.device(ID), fleet.state.config);

test('only a device out of service has a way back', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.deepEqual(progress(fleet), []);
});

test('each failing unit needs what its deep test was ordered with, whatever the setting is now', () => {
  const fleet = new Fleet(configWith({}, { reinstatementPassCount: 50 }));
  fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
  assert.deepEqual(progress(fleet), [{ family: 1, sm: 1, clean: 0, needed: 50 }]);
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.configure(configWith({}, { reinstatementPassCount: 70 }));
  fleet.deepTestRuns('n1', 20);
  assert.deepEqual(progress(fleet), [{ family: 1, sm: 1, clean: 20, needed: 50 }]);
});
