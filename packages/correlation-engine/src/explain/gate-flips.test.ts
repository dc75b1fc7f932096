import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GateName, RunFlag, RunKind } from '../evidence/model/terms.js';
import { CLEAN_FLAGS } from '../evidence/testing/batches.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { describe, deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { explain } from './explain.js';

const ID = deviceIdOf('n1');

function explained(fleet: Fleet) {
  const explanation = explain(fleet.state, ID, fleet.nowUs);
  if (explanation === undefined) throw new Error('not explained');
  return explanation;
}

const holding = (fleet: Fleet): GateName[] =>
  explained(fleet)
    .gates.filter((gate) => gate.verdict === 'HOLD')
    .map((gate) => gate.name);

function started(selfTestSmsPassed = 4): Fleet {
  const fleet = new Fleet();
  const device = describe(ID);
  fleet.hello('n1', {
    devices: [{ ...device, families: device.families.map((family) => ({ ...family, selfTestSmsPassed })) }],
  });
  return fleet;
}

/** Lets the agent find wrong results as it would, then waits for the dwell. */
function found(fleet: Fleet, sm = 1): void {
  fleet.failTwice('n1', sm);
  fleet.advance(11 * SECOND_US);
}

test('with nothing changed the device is quarantined and no gate holds', () => {
  const fleet = started();
  found(fleet);
  assert.equal(explained(fleet).state, 'QUARANTINED');
  assert.deepEqual(holding(fleet), []);
  const open = explained(fleet).gates.filter((gate) => gate.verdict === 'NOT_EVALUABLE');
  assert.deepEqual(
    open.map((gate) => gate.name),
    ['breadth', 'node'],
  );
  assert.ok(open.every((gate) => gate.reason.length > 20));
});

// One input each, of the evidence or of the configuration of a running system.
const flips: [GateName, string, () => Fleet][] = [
  [
    'integrity',
    'a loud fault in the runs',
    () => {
      const fleet = started();
      fleet.batch('n1', [{ flags: CLEAN_FLAGS | RunFlag.LOUD_FAULT, fails: [{ sm: 1 }] }]);
      return fleet;
    },
  ],
  [
    'locality',
    'the same wrong digest on the other SMs',
    () => {
      const fleet = started();
      fleet.batch('n1', [{ fails: [{ sm: 1, siblingsPassed: 1, siblingsSameDigest: 2 }] }]);
      return fleet;
    },
  ],
  [
    'cohort',
    'one SM of four passed the self test',
    () => {
      const fleet = started(1);
      found(fleet);
      return fleet;
    },
  ],
  [
    'dwell',
    'a longer dwell in the configuration',
    () => {
      const fleet = started();
      fleet.configure(configWith({ dwell_small_seconds: 3600 }));
      found(fleet);
      return fleet;
    },
  ],
  [
    'rate-limit',
    'a limit of 0 in the configuration',
    () => {
      const fleet = started();
      fleet.configure(configWith({ rate_limit: NO_QUARANTINES }));
      found(fleet);
      return fleet;
    },
  ],
];
for (const [name, input, make] of flips) {
  test(`gate ${name} alone holds after ${input}, and explain says so and what would open it`, () => {
    const fleet = make();
    assert.deepEqual(holding(fleet), [name]);
    const { state, sentences, whatWouldChange } = explained(fleet);
    assert.notEqual(state, 'QUARANTINED');
    assert.ok(
      sentences.some((sentence) => sentence.includes(`(${name}) holds: `)),
      sentences.join('\n'),
    );
    assert.ok(whatWouldChange.length > 0);
  });
}

test('a gate that the configuration held opens with it, in the running system', () => {
  for (const [name, , make] of flips.slice(3)) {
    const fleet = make();
    fleet.configure(configWith({}));
    assert.equal(explained(fleet).state, 'QUARANTINED', name);
  }
});

test('a better self test opens gate 3 at the next hello', () => {
  const fleet = started(1);
  found(fleet);
  fleet.hello('n1');
  assert.equal(explained(fleet).state, 'QUARANTINED');
});

test('a held newest mismatch shows at gates 1 and 2 while the decision is still open', () => {
  const fleet = started();
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  fleet.batch('n1', [{ kind: RunKind.RERUN, flags: RunFlag.GOLDEN_AGREED, fails: [{ sm: 1 }] }]);
  assert.deepEqual(holding(fleet), ['integrity', 'dwell']);
});

test('the gates of a suspect are those of now, not of the last record', () => {
  const fleet = started();
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  const elapsed = () => explained(fleet).gates[3]?.inputs.elapsed_seconds;
  assert.equal(elapsed(), '0');
  fleet.nowUs += 4 * SECOND_US;
  assert.equal(elapsed(), '4');
});
