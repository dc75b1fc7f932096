import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreConfig } from '../evidence/model/settings.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { explain } from './explain.js';

const ID = deviceIdOf('n1');
const HOUR_US = 3600 * SECOND_US;
const ORDER = `npx sentinel quarantine ${ID} --reason "…"`;

function asked(settings: Partial<CoreConfig>, gates: Parameters<typeof configWith>[0] = {}): Fleet {
  const fleet = new Fleet(configWith(gates, { approvalExpiryHours: 5, ...settings }));
  fleet.quarantined('n1');
  return fleet;
}

function said(fleet: Fleet) {
  const explanation = explain(fleet.state, ID, fleet.nowUs);
  assert.ok(explanation);
  const { sentences, summary, whatWouldChange } = explanation;
  return { text: sentences.join('\n'), summary, would: whatWouldChange.join('\n') };
}

test('a request that nobody answered is said to be over, and what makes the engine ask again', () => {
  const fleet = asked({ requireApproval: true });
  assert.doesNotMatch(said(fleet).text, /nobody answered/);
  fleet.advance(5 * HOUR_US);
  const { text, summary, would } = said(fleet);
  assert.match(
    text,
    /The engine asked for QUARANTINE, and nobody answered until 2027-01-15 13:00:1\d UTC, when that expired\./,
  );
  assert.ok(text.includes(`It asks again upon another mismatch. Order it with \`${ORDER}\`.`), text);
  assert.match(summary, /; nobody answered QUARANTINE$/);
  assert.match(
    would,
    /^QUARANTINED: another mismatch, for nobody answered, and the engine asks again then; or an order/,
  );
  assert.ok(would.includes(ORDER));
  fleet.answer('n1');
  assert.match(said(fleet).text, /QUARANTINE waits for an operator until/);
  assert.doesNotMatch(said(fleet).summary, /nobody answered/);
});

test('where the limit of quarantines made it ask, room in it is another way on', () => {
  const fleet = asked({}, { rate_limit: NO_QUARANTINES });
  fleet.advance(5 * HOUR_US);
  const { text, would } = said(fleet);
  assert.match(text, /upon another mismatch, and acts by itself once the limit of automatic quarantines has room\./);
  assert.match(would, /QUARANTINED: room in the limit .*\nQUARANTINED: another mismatch, for nobody answered/);
});

test('a rejection is followed by what makes the engine ask again', () => {
  const fleet = asked({ requireApproval: true });
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'REJECT');
  const { text, would } = said(fleet);
  assert.match(
    text,
    /An operator rejected QUARANTINE on 2027.* UTC\. It asks again upon another mismatch\. Order it with/,
  );
  assert.match(would, /QUARANTINED: another mismatch, for an operator said no to what is known so far; or an order of/);
});

test('a condemnation is asked for again at its time, a deep test and a return are not', () => {
  const fleet = asked({ requireApproval: true, maxQuarantineHours: 20 });
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  fleet.advance(7 * HOUR_US);
  const tested = said(fleet);
  assert.match(
    tested.text,
    /asked for SCHEDULE_DEEP_TEST, and nobody .* It does not ask again by itself\. Order it with `npx sentinel deep-test /,
  );
  assert.match(
    tested.would,
    /HEALTHY: an operator orders REINSTATE or SCHEDULE_DEEP_TEST; nobody agreed to the deep test/,
  );
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  fleet.passDeepTest('n1');
  fleet.answerProposal(fleet.pending(ID, 'REINSTATE').id, 'REJECT');
  assert.match(
    said(fleet).text,
    /rejected REINSTATE on .* It does not ask again by itself\. Order it with `npx sentinel reinstate/,
  );
  assert.match(said(fleet).would, /HEALTHY: an operator orders .*; its deep test was passed, and nobody agreed/);
  fleet.advance(19 * HOUR_US);
  const condemned = said(fleet);
  assert.match(
    condemned.text,
    /asked for CONDEMN, and nobody answered until .* It asks again on 2027-01-17 05:00:11 UTC\.$/m,
  );
  assert.match(condemned.would, /CONDEMNED: only an operator orders that; one is asked again on 2027-01-17 /);
});

test('observe mode: what starts no test by itself says so, and what passed one waits for enforce mode', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.configure(configWith({}, { mode: 'observe' }));
  assert.match(said(fleet).would, /^HEALTHY: an operator orders .*; observe mode starts no deep test by itself\./);
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  const directiveId = fleet.open(ID, 'deep-test').id;
  fleet.commit({ kind: 'directive-status', node: 'n1', directiveId, state: 'REFUSED', reason: 'busy' });
  assert.match(said(fleet).text, /refused the deep test: busy\. Observe mode does not ask it again\./);
  fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
  fleet.passDeepTest('n1');
  assert.match(said(fleet).would, /^HEALTHY: `correlation_engine\.mode: enforce`; or an operator orders REINSTATE/);
});
