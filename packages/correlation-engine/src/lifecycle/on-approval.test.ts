import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperatorAction } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { dueAt } from '../evidence/state.js';
import { CONFIG, configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { deviceIdOf, eventNames, Fleet, openOf, SECOND_US } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const HOUR_US = 3600 * SECOND_US;
const asking = (rest: Partial<CoreConfig> = {}) => configWith({}, { requireApproval: true, ...rest });
const state = (fleet: Fleet) => fleet.device(ID).state;
const actions = (fleet: Fleet) => fleet.device(ID).proposals.map(({ action }) => action);

function suspected(config = asking()): Fleet {
  const fleet = new Fleet(config);
  fleet.quarantined('n1');
  return fleet;
}

test('with require_approval the engine asks, once, and an operator quarantines', () => {
  const fleet = suspected();
  assert.deepEqual([state(fleet), actions(fleet)], ['SUSPECT', ['QUARANTINE']]);
  const { id, cause, proposedBy } = fleet.pending(ID, 'QUARANTINE');
  assert.deepEqual([cause, proposedBy], ['require-approval', '']);
  fleet.answer('n1');
  assert.equal(fleet.pending(ID, 'QUARANTINE').id, id, 'more evidence asks no second time');
  const approved = fleet.answerProposal(id, 'APPROVE');
  assert.equal(approved.refusal, null);
  assert.deepEqual(eventNames(approved), ['state_changed', 'approval_approved']);
  const [move] = approved.transitions;
  assert.deepEqual([move?.to, move?.actor], ['QUARANTINED', 'bob']);
  assert.match(move?.reason ?? '', /^fma32 on SM 1: .*No gate holds it\. Approved by bob: looked at it$/);
  const [ended] = approved.proposals;
  assert.deepEqual([ended?.outcome, ended?.decidedBy, ended?.eventId], ['APPROVED', 'bob', move?.eventId]);
  assert.deepEqual(fleet.state.fleet.automaticQuarantinesUs, [], 'it uses none of the rate limit');
});

test('a second answer finds nothing, and says so', () => {
  const fleet = suspected();
  const { id } = fleet.pending(ID, 'QUARANTINE');
  fleet.answerProposal(id, 'APPROVE');
  const before = JSON.stringify(fleet.saved());
  assert.equal(fleet.answerProposal(id, 'REJECT').refusal?.code, 'NOT_FOUND');
  assert.equal(fleet.answerProposal('never', 'APPROVE').refusal?.code, 'NOT_FOUND');
  assert.equal(JSON.stringify(fleet.saved()), before);
});

test('what was rejected is not asked again, nor done, before another mismatch', () => {
  const fleet = suspected();
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'REJECT');
  fleet.advance(HOUR_US);
  assert.deepEqual([state(fleet), actions(fleet)], ['SUSPECT', []]);
  fleet.configure(CONFIG);
  assert.equal(state(fleet), 'SUSPECT', 'the engine does not do by itself what an operator rejected');
  fleet.configure(asking());
  fleet.answer('n1');
  assert.deepEqual(actions(fleet), ['QUARANTINE']);
});

test('what nobody answers expires by a timer, with an entry; the evidence stays', () => {
  const fleet = suspected(asking({ approvalExpiryHours: 1 }));
  const { id, expiresUs } = fleet.pending(ID, 'QUARANTINE');
  const units = JSON.stringify(fleet.device(ID).units);
  assert.equal(dueAt(fleet.state), expiresUs);
  fleet.nowUs = expiresUs;
  assert.equal(fleet.answerProposal(id, 'APPROVE').refusal?.code, 'EXPIRED', 'also before the timer came');
  const expired = fleet.commit({ kind: 'timer' });
  assert.deepEqual(eventNames(expired), ['approval_expired']);
  assert.deepEqual([state(fleet), actions(fleet)], ['SUSPECT', []]);
  assert.equal(JSON.stringify(fleet.device(ID).units), units);
  fleet.configure(CONFIG);
  assert.equal(state(fleet), 'QUARANTINED', 'an expiry is nobody’s no');
});

test('a gate that closes takes back the question', () => {
  const fleet = suspected();
  const held = fleet.configure(configWith({ dwell_small_seconds: 3600 }, { requireApproval: true }));
  assert.ok(eventNames(held).includes('approval_withdrawn'));
  assert.deepEqual(actions(fleet), []);
});

test('beyond the rate limit an operator may go; when there is room again the engine goes itself', () => {
  const limited = configWith({ rate_limit: NO_QUARANTINES });
  const fleet = suspected(limited);
  assert.equal(fleet.pending(ID, 'QUARANTINE').cause, 'rate-limit');
  const moved = fleet.configure(CONFIG);
  assert.equal(state(fleet), 'QUARANTINED');
  assert.ok(eventNames(moved).includes('approval_withdrawn'));
  const other = suspected(limited);
  other.answerProposal(other.pending(ID, 'QUARANTINE').id, 'APPROVE');
  assert.equal(state(other), 'QUARANTINED');
});

test('an approved quarantine of the engine gets its deep test from the next build, which is asked for too', () => {
  const fleet = suspected();
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(openOf(fleet.device(ID), 'deep-test'), undefined);
  fleet.answerProposal(fleet.pending(ID, 'SCHEDULE_DEEP_TEST').id, 'APPROVE');
  fleet.deepTestRuns('n1', 1000);
  assert.deepEqual([state(fleet), actions(fleet)], ['QUARANTINED', ['REINSTATE']]);
  fleet.hello('n1', { buildId: 'build-2' });
  assert.equal(openOf(fleet.device(ID), 'deep-test'), undefined, 'a passed test is not repeated');
  const { id } = fleet.pending(ID, 'REINSTATE');
  const back = fleet.answerProposal(id, 'APPROVE');
  assert.deepEqual([state(fleet), back.transitions[0]?.actor], ['HEALTHY', 'bob']);
});

test('a wrong result after a passed deep test takes back the request to reinstate', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.hello('n1', { buildId: 'build-2' });
  fleet.configure(asking());
  fleet.deepTestRuns('n1', 1000);
  assert.deepEqual(actions(fleet), ['REINSTATE']);
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  assert.deepEqual([state(fleet), actions(fleet)], ['QUARANTINED', []]);
});

test('an operator’s order that requires approval waits for a second person', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  const asked = fleet.operator(ID, 'CONDEMN', { requiresApproval: true });
  assert.deepEqual([state(fleet), asked.transitions, asked.refusal], ['QUARANTINED', [], null]);
  const { id, proposedBy } = fleet.pending(ID, 'CONDEMN');
  assert.equal(proposedBy, 'alice');
  assert.equal(fleet.operator(ID, 'CONDEMN', { requiresApproval: true }).refusal?.code, 'CONFLICT');
  assert.equal(fleet.answerProposal(id, 'APPROVE', 'alice').refusal?.code, 'SECOND_PERSON_NEEDED');
  fleet.answerProposal(id, 'APPROVE', 'bob');
  const { state: now, stateReason, stateActor } = fleet.device(ID);
  assert.deepEqual([now, stateReason, stateActor], ['CONDEMNED', 'because. Approved by bob: looked at it', 'bob']);
});

test('who proposed may take it back; and approve it where the configuration says so', () => {
  const fleet = new Fleet(configWith({}, { approveOwnProposals: true }));
  fleet.hello('n1');
  const waits = () => {
    fleet.operator(ID, 'QUARANTINE', { requiresApproval: true });
    return fleet.pending(ID, 'QUARANTINE').id;
  };
  assert.equal(fleet.answerProposal(waits(), 'REJECT', 'alice').refusal, null);
  assert.equal(state(fleet), 'HEALTHY');
  assert.equal(fleet.answerProposal(waits(), 'APPROVE', 'alice').refusal, null);
  assert.equal(state(fleet), 'QUARANTINED');
});

test('an order that requires approval is refused where it is illegal, and withdrawn where it becomes so', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  assert.equal(fleet.operator(ID, 'CONDEMN', { requiresApproval: true }).refusal?.code, 'ILLEGAL_TRANSITION');
  fleet.operator(ID, 'QUARANTINE', { requiresApproval: true });
  const done = fleet.operator(ID, 'QUARANTINE');
  assert.deepEqual(eventNames(done), ['state_changed', 'approval_withdrawn']);
  assert.deepEqual(actions(fleet), []);
});

test('in observe mode the engine asks for nothing, and operators may', () => {
  const fleet = suspected(asking({ mode: 'observe' }));
  assert.deepEqual([state(fleet), actions(fleet), fleet.device(ID).wouldBe], ['SUSPECT', [], 'QUARANTINED']);
  fleet.operator(ID, 'QUARANTINE', { requiresApproval: true });
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  assert.equal(state(fleet), 'QUARANTINED');
});

test('proposals survive a restart', () => {
  const fleet = suspected();
  const { id } = fleet.pending(ID, 'QUARANTINE');
  fleet.restart();
  assert.equal(fleet.answerProposal(id, 'APPROVE').refusal, null);
});

const every: OperatorAction[] = ['QUARANTINE', 'REINSTATE', 'SCHEDULE_DEEP_TEST', 'CONDEMN'];
test('a condemned device keeps no proposal', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  for (const action of every) fleet.operator(ID, action, { requiresApproval: true });
  assert.equal(actions(fleet).length, 3);
  fleet.operator(ID, 'CONDEMN');
  assert.deepEqual(actions(fleet), []);
});

test('an id that waits for approval is taken: whoever approves it gets what was shown', () => {
  const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }));
  fleet.quarantined('n1');
  const [waiting] = fleet.device(ID).proposals;
  assert.ok(waiting);
  fleet.hello('n2');
  const other = deviceIdOf('n2');
  fleet.operator(other, 'QUARANTINE');
  for (const requiresApproval of [true, false]) {
    const { refusal } = fleet.operator(other, 'CONDEMN', { requiresApproval, directiveId: waiting.id });
    assert.deepEqual([refusal?.code, refusal?.field], ['CONFLICT', 'directive_id']);
  }
  assert.deepEqual([fleet.device(other).state, fleet.device(other).proposals], ['QUARANTINED', []]);
});
