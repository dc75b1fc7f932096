import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectiveStatusRecord } from '../evidence/record.js';
import { deviceIdOf, eventNames, Fleet, openOf } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function suspect(): { fleet: Fleet; say: (state: DirectiveStatusRecord['state'], node?: string) => string[] } {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.hello('n2');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const directiveId = fleet.open(ID, 'burst').id;
  const say = (state: DirectiveStatusRecord['state'], node = 'n1') =>
    eventNames(fleet.commit({ kind: 'directive-status', node, directiveId, state, reason: 'no such family' }));
  return { fleet, say };
}

test('progress is taken from reports alone: accepted, running and done change no count', () => {
  const { fleet, say } = suspect();
  for (const state of ['ACCEPTED', 'RUNNING', 'DONE'] as const) assert.deepEqual(say(state), []);
  assert.equal(fleet.open(ID, 'burst').done, 0);
});

test('a refusal ends the directive with its reason; the device stays suspect and a later mismatch asks again', () => {
  const { fleet, say } = suspect();
  assert.deepEqual(say('REFUSED'), ['directive_refused']);
  assert.equal(openOf(fleet.device(ID), 'burst'), undefined);
  assert.equal(fleet.device(ID).directives[0]?.reason, 'no such family');
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.notEqual(openOf(fleet.device(ID), 'burst'), undefined);
});

test('another node has no say', () => {
  const { fleet, say } = suspect();
  assert.deepEqual(say('REFUSED', 'n2'), []);
  assert.deepEqual(say('REFUSED', 'n9'), []);
  assert.notEqual(openOf(fleet.device(ID), 'burst'), undefined);
});

test('a refused deep test leaves the device in quarantine, and the next hello asks again', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.deepTestRuns('n1', 5);
  const { id } = fleet.open(ID, 'deep-test');
  fleet.commit({ kind: 'directive-status', node: 'n1', directiveId: id, state: 'REFUSED', reason: '' });
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  fleet.hello('n1', { buildId: 'build-2' });
  assert.notEqual(fleet.open(ID, 'deep-test').id, id);
});
