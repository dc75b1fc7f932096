import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreConfig } from '../evidence/model/settings.js';
import { configWith } from '../evidence/testing/config.js';
import { deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { explain } from './explain.js';

const ID = deviceIdOf('n1');
const HOUR_US = 3600 * SECOND_US;

function out(config?: CoreConfig): Fleet {
  const fleet = new Fleet(config);
  fleet.quarantined('n1');
  return fleet;
}

function said(fleet: Fleet) {
  const explanation = explain(fleet.state, ID, fleet.nowUs);
  if (explanation === undefined) throw new Error('not explained');
  const { summary, sentences, whatWouldChange } = explanation;
  const failed = sentences.filter((sentence) => /deep test/i.test(sentence));
  return {
    summary,
    failed,
    count: failed.find((sentence) => sentence.includes('taken out')) ?? '',
    next: whatWouldChange[0] ?? '',
  };
}

test('when the next deep test starts by itself is said everywhere', () => {
  const fleet = out();
  fleet.advance(15 * 60 * SECOND_US);
  const { summary, failed, next } = said(fleet);
  assert.equal(summary, 'fma32 on SM 1: deep test in 45 min');
  assert.deepEqual(failed, []);
  assert.match(
    next,
    /^HEALTHY: a deep test starts by itself in 45 min, on 2027-01-15 09:00:10 UTC \(gates\.deep_test_/,
  );
  assert.match(
    next,
    /; or an agent with a build that none of the failures came from, .* at once; or an operator orders/,
  );
});

test('those that failed are counted', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.equal(said(fleet).summary, 'fma32 on SM 1: no deep test scheduled, 1 failed; CONDEMN waits for approval');
  fleet.answerProposal(fleet.pending(ID, 'CONDEMN').id, 'REJECT');
  assert.equal(said(fleet).summary, 'fma32 on SM 1: deep test in 2 h, 1 failed');
  assert.match(said(fleet).count, /^One deep test failed or was refused .*, on 2027-01-15 09:00:1\d UTC\.$/);
  fleet.advance(2 * HOUR_US);
  fleet.deepTestRuns('n1', 1, { fails: [{ sm: 1 }] });
  assert.match(said(fleet).count, /^2 deep tests failed or were refused .*, the newest on 2027-01-15 11:/);
});

test('an agent that refused is said to be asked again, and when', () => {
  const refused = (config?: CoreConfig): string => {
    const fleet = out(config);
    fleet.operator(ID, 'SCHEDULE_DEEP_TEST');
    const directiveId = fleet.open(ID, 'deep-test').id;
    fleet.commit({ kind: 'directive-status', node: 'n1', directiveId, state: 'REFUSED', reason: 'busy' });
    return said(fleet).failed.find((sentence) => sentence.startsWith('The agent')) ?? '';
  };
  const build = 'when it connects with a build that none of the failures came from.';
  assert.match(
    refused(),
    /^The agent refused the deep test: busy\. It is asked again on 2027-01-15 10:00:11 UTC, or when/,
  );
  assert.equal(
    refused(configWith({ deep_test_after_hours: 0 })),
    `The agent refused the deep test: busy. It is asked again ${build}`,
  );
});

test('what failed again on probation is said, and no test is announced', () => {
  const fleet = out();
  fleet.advance(HOUR_US);
  fleet.passDeepTest('n1');
  fleet.failTwice('n1');
  fleet.advance(11 * SECOND_US);
  const { summary, failed } = said(fleet);
  assert.equal(summary, 'fma32 on SM 1: no deep test scheduled; CONDEMN waits for approval');
  assert.ok(failed.some((sentence) => sentence.startsWith('It failed again on probation')));
});

test('where none starts by itself, none is announced', () => {
  const { summary, next } = said(out(configWith({ deep_test_after_hours: 0 })));
  assert.equal(summary, 'fma32 on SM 1: no deep test scheduled');
  assert.match(next, /^HEALTHY: an agent with a build that none of the failures came from/);
});
