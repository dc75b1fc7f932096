import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RunKind } from '../evidence/model/terms.js';
import { repeat } from '../evidence/testing/batches.js';
import { deviceIdOf, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { explain } from './explain.js';

function suspect(): Fleet {
  const fleet = new Fleet();
  fleet.hello('one');
  // Weeks of clean runs, so that the device as a whole is known to run well.
  for (let hour = 0; hour < 24 * 20; hour += 1) {
    fleet.batch('one', repeat(60, {}));
    fleet.nowUs += 3600 * SECOND_US;
  }
  fleet.batch('one', [{ fails: [{ sm: 1 }] }]);
  return fleet;
}

function answerOf(fleet: Fleet) {
  const answer = explain(fleet.state, deviceIdOf('one'), fleet.nowUs);
  assert.ok(answer !== undefined);
  return answer;
}

it('what would quarantine is what does: the further failures that it names', () => {
  const fleet = suspect();
  const { whatWouldChange } = answerOf(fleet);
  const [said] = whatWouldChange.filter((sentence) => sentence.startsWith('QUARANTINED'));
  assert.match(said ?? '', /one more wrong result of fma32 on SM 1 now would make a defect more than 99\.99 % likely/);
  fleet.answer('one');
  fleet.advance(11 * SECOND_US);
  assert.equal(fleet.device(deviceIdOf('one')).state, 'QUARANTINED');
});

it('the likeliest explanation of a located failure is the unit, and the explanations sum to one', () => {
  const fleet = suspect();
  fleet.answer('one');
  const { causes, units, sentences } = answerOf(fleet);
  assert.equal(causes[0]?.cause, 'unit');
  assert.ok(Math.abs(causes.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-9);
  assert.deepEqual([units[0]?.family, units[0]?.sm], [1, 1]);
  assert.ok(sentences.some((sentence) => sentence.startsWith('fma32 on SM 1: 2 wrong results, 0 clean executions')));
  assert.ok(sentences.some((sentence) => sentence.startsWith('Likeliest explanation: a defect of single units')));
});

it('clean executions lower what is believed, and what remains to be run is said', () => {
  const fleet = suspect();
  const before = answerOf(fleet);
  const { id } = fleet.open(deviceIdOf('one'), 'burst');
  fleet.batch('one', repeat(900, { kind: RunKind.BURST, single: 1, directive: id }));
  const after = answerOf(fleet);
  assert.ok(after.probability < before.probability);
  const remaining = (sentences: readonly string[]) =>
    /about (\d+) more clean executions/.exec(sentences.join(' '))?.[1];
  assert.ok(Number(remaining(after.whatWouldChange)) < Number(remaining(before.whatWouldChange)));
});
