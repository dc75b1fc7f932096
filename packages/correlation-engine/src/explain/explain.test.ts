import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { saveState } from '../evidence/state.js';
import { CONFIG, configWith } from '../evidence/testing/config.js';
import { describe, deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { happen, story } from '../lifecycle/testing/story.js';
import { explain } from './explain.js';

const ID = deviceIdOf('n1');

function explained(fleet: Fleet) {
  const explanation = explain(fleet.state, ID, fleet.nowUs);
  if (explanation === undefined) throw new Error('not explained');
  return explanation;
}

test('an unknown device has no explanation', () => {
  assert.equal(explain(new Fleet().state, 'CPU-x', 0), undefined);
});

test('a device that never failed: no gate is invented', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const { gates, sentences, whatWouldChange, score, injected } = explained(fleet);
  assert.deepEqual(gates, []);
  assert.ok(sentences.includes('No gate was evaluated: nothing asked for a decision.'));
  assert.match(whatWouldChange[0] ?? '', /^SUSPECT: /);
  assert.equal(score.score.toFixed(3), '0.990');
  assert.equal(injected, false);
});

test('a mismatch that a gate held does not read as none', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ flags: 0, fails: [{ sm: 1 }] }]);
  const { sentences } = explained(fleet);
  assert.match(sentences[0] ?? '', /^HEALTHY since .*: no mismatch counts against it\.$/);
  assert.match(sentences[1] ?? '', /^Gate 1 \(integrity\) holds: /);
});

test('a burst that the agent refused is said, with its reason', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const directiveId = fleet.open(ID, 'burst').id;
  fleet.commit({ kind: 'directive-status', node: 'n1', directiveId, state: 'REFUSED', reason: 'no budget' });
  const said = 'The agent refused the burst of fma32 on SM 1: no budget. The next mismatch there asks again.';
  assert.ok(explained(fleet).sentences.includes(said));
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.ok(!explained(fleet).sentences.includes(said));
});

test('a quarantine says its evidence once', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  const said = explained(fleet).sentences.filter((sentence) => sentence.includes('hard observation'));
  assert.equal(said.length, 1);
});

test('a device with one SM is never said to be quarantined by more mismatches', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(ID, { sms: [0] })] });
  fleet.batch('n1', [{ sms: [0], fails: [{ sm: 0, siblingsRun: 0, siblingsPassed: 0 }] }]);
  assert.match(explained(fleet).whatWouldChange[0] ?? '', /^QUARANTINED: only an operator/);
});

test('a suspect: its evidence, its work, and what would lead where', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const { sentences, whatWouldChange, hardObservations, answers, score } = explained(fleet);
  assert.deepEqual([hardObservations, answers], [1, 0]);
  assert.ok(sentences.includes('Failing: fma32 on SM 1 (1 counted, 0 in answer).'), sentences.join('\n'));
  assert.ok(sentences.includes('Burst of fma32 on SM 1: 0 of 1000 executions ran, 0 failed.'));
  assert.deepEqual(whatWouldChange, [
    'QUARANTINED: a mismatch in the confirmation burst or the follow-up (one more wrong result of fma32 on SM 1 now would make a defect more than 99.99 % likely); and gate 4 (dwell) must open.',
    'HEALTHY: 7 days without a mismatch (7 days to go), and 1000 clean executions of the suspected unit; so much speaks against it that clean runs alone do not lead to where a defect is less than 23.08 % likely.',
  ]);
  assert.ok(score.score < 0.95);
});

test('an injected quarantine: said first, with the progress of the reinstatement', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
  const during = explained(fleet);
  assert.match(during.sentences[1] ?? '', /^INJECTED: /);
  assert.match(during.whatWouldChange[0] ?? '', /a build that none of the failures came from/);
  assert.ok(during.score.score < 0.8);
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.deepTestRuns('n1', 350);
  const { injected, reinstatement, whatWouldChange, summary } = explained(fleet);
  assert.equal(injected, true, 'until it is reinstated');
  assert.deepEqual(reinstatement, [{ family: 1, sm: 1, clean: 350, needed: 1000 }]);
  assert.equal(
    whatWouldChange[0],
    'HEALTHY: clean executions in the deep test (fma32 on SM 1 350 of 1000); one failure ends it.',
  );
  assert.equal(summary, 'fma32 on SM 1: deep test 350 of 1000 clean executions');
  fleet.deepTestRuns('n1', 650);
  assert.deepEqual([explained(fleet).state, explained(fleet).injected], ['HEALTHY', false]);
});

test('observe mode: what enforce mode would have done, and how to get there', () => {
  const fleet = new Fleet(configWith({}, { mode: 'observe' }));
  fleet.quarantined('n1');
  const { state, wouldBe, sentences, whatWouldChange } = explained(fleet);
  assert.deepEqual([state, wouldBe], ['SUSPECT', 'QUARANTINED']);
  assert.ok(sentences.includes('Enforce mode would have made it QUARANTINED; observe mode only records that.'));
  assert.match(whatWouldChange[0] ?? '', /mode: enforce/);
});

test('an agent that left is said to be away', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.commit({ kind: 'node-left', node: 'n1' });
  assert.equal(explained(fleet).connected, false);
  assert.ok(explained(fleet).sentences.some((sentence) => sentence.includes('not connected')));
});

test('an order of an operator names them', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.operator(ID, 'QUARANTINE');
  const { sentences, whatWouldChange } = explained(fleet);
  assert.match(sentences[0] ?? '', /^QUARANTINED since .* UTC, ordered by alice: because$/);
  assert.equal(whatWouldChange[0], 'HEALTHY: an operator orders REINSTATE.');
});

test('explaining changes nothing, says something in every state, and invents no gate', () => {
  fc.assert(
    fc.property(story, (events) => {
      const fleet = new Fleet(CONFIG);
      for (const event of events) happen(fleet, event);
      const before = JSON.stringify(saveState(fleet.state));
      for (const id of fleet.state.devices.keys()) {
        const answer = explain(fleet.state, id, fleet.nowUs + SECOND_US);
        assert.ok(answer !== undefined && answer.sentences.length > 0 && answer.whatWouldChange.length > 0);
        assert.ok(
          [...answer.sentences, ...answer.whatWouldChange, answer.summary].every((text) => !/undefined|NaN/.test(text)),
        );
        assert.ok(answer.score.score > 0 && answer.score.score < 1);
        // Soft evidence alone asks no gate.
        const accused = fleet.device(id).units.length > 0;
        if (answer.state === 'SUSPECT' && accused) assert.equal(answer.gates.length, 7);
      }
      assert.equal(JSON.stringify(saveState(fleet.state)), before);
    }),
    { numRuns: 200 },
  );
});
