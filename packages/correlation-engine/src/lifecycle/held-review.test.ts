import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELD_REVIEW_US } from './held-review.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const ID = deviceIdOf('n1');

/** Suspects that an incident of software holds, and that nothing more is asked of. */
function held(): Fleet {
  const fleet = new Fleet();
  for (const node of NODES) fleet.hello(node);
  for (const node of NODES) fleet.failTwice(node);
  for (const node of NODES) fleet.batch(node, [{ fails: [{ sm: 1 }] }]);
  fleet.advance(700 * SECOND_US);
  assert.equal(breadthOf(fleet)?.verdict, 'HOLD');
  return fleet;
}

const breadthOf = (fleet: Fleet) => fleet.device(ID).gates.find(({ name }) => name === 'breadth');

test('what an incident holds is evidence at once, and is looked at again soon', () => {
  const fleet = held();
  const [before, since] = [fleet.device(ID).units[0]?.counted ?? 0, fleet.nowUs];
  const looked = new Set<number | undefined>();
  for (let i = 1; i <= 600; i += 1) {
    fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
    looked.add(breadthOf(fleet)?.evaluatedUs);
    fleet.advance(SECOND_US);
  }
  assert.equal(fleet.device(ID).units[0]?.counted, before + 600);
  assert.ok(looked.size <= 2 + (600 * SECOND_US) / HELD_REVIEW_US, `looked at ${looked.size} times`);
  fleet.advance(HELD_REVIEW_US);
  assert.ok((breadthOf(fleet)?.evaluatedUs ?? 0) >= since + 600 * SECOND_US - HELD_REVIEW_US);
  assert.ok((breadthOf(fleet)?.evaluatedUs ?? 0) > Math.max(...[...looked].map((us) => us ?? 0)), 'by time alone, too');
});

test('an operator who releases the incident does not wait for that', () => {
  const fleet = held();
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const incident = fleet.state.fleet.incidents[0]?.id ?? '';
  fleet.commit({ kind: 'incident-order', incident, decision: 'RELEASE', reason: 'because', actor: 'alice' });
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});
