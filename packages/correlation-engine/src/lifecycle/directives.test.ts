import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunKind } from '../evidence/model/terms.js';
import { INT_AES, type RunSpec, repeat, SMS } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { MAX_FINISHED, MAX_OPEN_BURSTS, remainingDirectives } from './directives.js';
import { SETTLE_US } from './settle.js';
import { DAY_US, describe, deviceIdOf, Fleet, openOf, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');

function suspect(config = configWith({})): Fleet {
  const fleet = new Fleet(config);
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  return fleet;
}

const burstRuns = (fleet: Fleet, count: number, ran = [1]) =>
  fleet.batch('n1', repeat(count, { kind: RunKind.BURST, single: 1, ran, directive: fleet.open(ID, 'burst').id }));

test('one burst per unit at a time', () => {
  const fleet = suspect();
  assert.deepEqual(sentWork(fleet.batch('n1', [{ fails: [{ sm: 1 }] }])), []);
  assert.equal(sentWork(fleet.batch('n1', [{ fails: [{ sm: 2 }] }])).length, 1);
});

test('only a failure of the unit that a directive named answers it', () => {
  const answers = (spec: RunSpec): boolean[] => {
    const fleet = suspect(configWith({ dwell_small_seconds: 0 }));
    const effects = fleet.batch('n1', [{ kind: RunKind.BURST, directive: fleet.open(ID, 'burst').id, ...spec }]);
    return effects.observations.map(({ answer }) => answer);
  };
  assert.deepEqual(answers({ single: 1, fails: [{ sm: 1 }] }), [true]);
  assert.deepEqual(answers({ single: 3, fails: [{ sm: 3 }] }), [false]);
  assert.deepEqual(answers({ family: INT_AES, single: 1, fails: [{ sm: 1 }] }), [false]);
  assert.deepEqual(answers({ kind: RunKind.RERUN, single: 1, fails: [{ sm: 1 }] }), [false]);
});

test('what remains of a burst keeps its pace', () => {
  const fleet = suspect();
  burstRuns(fleet, 250);
  assert.deepEqual(
    remainingDirectives(fleet.device(ID), fleet.state.config).map(({ work }) => work),
    [{ kind: 'burst', family: 1, sm: 1, executions: 750, windowMs: 45_000 }],
  );
});

test('executions that did not run, or ran another family or SM, are not done', () => {
  const fleet = suspect();
  burstRuns(fleet, 500, []);
  const order = { kind: RunKind.BURST, directive: fleet.open(ID, 'burst').id };
  fleet.batch('n1', [
    { ...order, family: INT_AES },
    { ...order, single: 2 },
  ]);
  assert.equal(fleet.open(ID, 'burst').done, 0);
});

test('an agent that says done is believed once its reports had time to arrive; then it gets the rest', () => {
  const fleet = suspect();
  const { id } = fleet.open(ID, 'burst');
  burstRuns(fleet, 900);
  fleet.commit({ kind: 'directive-status', node: 'n1', directiveId: id, state: 'DONE', reason: '' });
  fleet.advance(SETTLE_US - 1);
  const before = fleet.committed.length;
  fleet.advance(1);
  assert.deepEqual(
    fleet.committed.slice(before).flatMap(({ effects }) => sentWork(effects)),
    [{ kind: 'burst', family: 1, sm: 1, executions: 100, windowMs: 6000 }],
  );
});

test('a follow-up ends by time, and 0 days means none', () => {
  const fleet = suspect();
  burstRuns(fleet, 1000);
  fleet.advance(7 * DAY_US);
  assert.equal(openOf(fleet.device(ID), 'follow-up'), undefined);
  const without = suspect(configWith({ followup_days: 0, burst_executions: 10 }));
  burstRuns(without, 10);
  assert.equal(openOf(without.device(ID), 'follow-up'), undefined);
});

test('open bursts and remembered directives are bounded', () => {
  const fleet = new Fleet();
  const sms = Array.from({ length: 20 }, (_, sm) => sm);
  fleet.hello('n1', { devices: [describe(ID, { sms })] });
  const siblings = { siblingsRun: 19, siblingsPassed: 10, siblingsSameDigest: 0 };
  for (const sm of sms) fleet.batch('n1', [{ sms, fails: [{ sm, ...siblings }] }]);
  const open = fleet.device(ID).directives.filter((directive) => directive.status === 'open');
  assert.equal(open.length, MAX_OPEN_BURSTS);
  for (let round = 0; round < 3; round += 1) {
    fleet.operator(ID, 'REINSTATE');
    for (const sm of SMS) fleet.batch('n1', [{ sms, fails: [{ sm, ...siblings }] }]);
  }
  const finished = fleet.device(ID).directives.filter((directive) => directive.status !== 'open');
  assert.equal(finished.length, MAX_FINISHED);
});
