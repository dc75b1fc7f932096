import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFlag } from '../model/terms.js';
import { CLEAN_FLAGS, GOLDEN, mismatch } from '../testing/batches.js';
import { integrityGate } from './integrity.js';

const good = mismatch({ sm: 1 });

test('a mismatch with an intact, agreed golden on a stable SM passes', () => {
  assert.equal(integrityGate(good, CLEAN_FLAGS, GOLDEN).verdict, 'PASS');
});

const changes: [string, Parameters<typeof integrityGate>, string][] = [
  ['a golden that changed', [good, RunFlag.GOLDEN_AGREED, GOLDEN], 'golden_buffers'],
  ['goldens that disagree', [good, RunFlag.GOLDEN_INTACT, GOLDEN], 'golden_computations'],
  ['a loud fault', [good, CLEAN_FLAGS | RunFlag.LOUD_FAULT, GOLDEN], 'loud_fault'],
  ['a thread that moved', [{ ...good, smStable: false }, CLEAN_FLAGS, GOLDEN], 'sm'],
  ['the golden of another run', [good, CLEAN_FLAGS, GOLDEN + 1], 'golden_digest'],
  ['a wrong result with the right digest', [{ ...good, actualDigest: GOLDEN }, CLEAN_FLAGS, GOLDEN], 'wrong_digest'],
];
for (const [name, args, input] of changes) {
  test(`${name} holds, and the input that did it is shown`, () => {
    const held = integrityGate(...args);
    const passed = integrityGate(good, CLEAN_FLAGS, GOLDEN);
    assert.equal(held.verdict, 'HOLD');
    const changed = Object.keys(held.inputs).filter((key) => held.inputs[key] !== passed.inputs[key]);
    assert.deepEqual(changed, [input]);
  });
}
