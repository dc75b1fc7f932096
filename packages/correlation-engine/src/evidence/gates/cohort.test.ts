import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censusOf } from '../census.js';
import type { CoreConfig } from '../model/settings.js';
import { FMA32, INT_AES, MODEL_FAMILY } from '../testing/batches.js';
import { CONFIG, configWith } from '../testing/config.js';
import { deviceWith, draftOf, familyWith, unitWith } from '../testing/device.js';
import { cohortGate } from './cohort.js';

/** Gate 3 for a failing device beside `clean` clean ones spread over `nodes` nodes. */
function gate(clean: number, nodes: number, family: number, passed: number, config: CoreConfig = CONFIG, nowUs = 5) {
  const families = [familyWith({ family, selfTestSmsPassed: passed })];
  const accused = deviceWith('accused', { state: 'SUSPECT', families, units: [unitWith({ family, counted: 1 })] });
  const others = Array.from({ length: clean }, (_, i) => deviceWith(`d${i}`, { node: `n${i % nodes}`, families }));
  const draft = draftOf([accused, ...others], {}, config);
  return cohortGate((key) => censusOf(draft, key), config, accused, [family], nowUs);
}

test('one device may accuse by an architecture-independent family if half of its SMs passed the known answers', () => {
  const answer = gate(0, 1, FMA32, 2);
  assert.equal(answer.verdict, 'PASS');
  assert.match(answer.reason, /COHORT_SELF_TESTED/);
  assert.equal(gate(0, 1, FMA32, 1).verdict, 'HOLD');
  assert.equal(gate(0, 1, FMA32, 0, configWith({ cohort_selftest_fraction: 0 })).verdict, 'HOLD', 'one SM at least');
});

test('a model family needs 20 clean devices on 3 nodes, whatever the self test', () => {
  assert.equal(gate(20, 3, MODEL_FAMILY, 4).verdict, 'PASS');
  assert.equal(gate(19, 3, MODEL_FAMILY, 4).verdict, 'HOLD');
  assert.equal(gate(20, 2, MODEL_FAMILY, 4).verdict, 'HOLD');
});

test('of a cohort that is large nobody says that it is small', () => {
  const { reason } = gate(22, 20, FMA32, 4);
  assert.equal(reason, 'The cohort of fma32 has 22 clean devices on 20 nodes.');
});

test('an operator who signed for the cohort stands in for clean devices enough', () => {
  const { cohort } = familyWith({ family: MODEL_FAMILY });
  const answer = gate(0, 1, MODEL_FAMILY, 0, { ...CONFIG, vouchedCohorts: [cohort] });
  assert.equal(answer.verdict, 'PASS');
  assert.equal(answer.inputs.sfu_signed_manifest, 'names its cohort');
  const other = { ...CONFIG, vouchedCohorts: [familyWith().cohort] };
  assert.equal(gate(0, 1, MODEL_FAMILY, 0, other).verdict, 'HOLD', 'of this family it says nothing');
  const ending = { ...CONFIG, vouchedCohorts: [cohort], vouchedUntilUs: 10 };
  assert.equal(gate(0, 1, MODEL_FAMILY, 0, ending, 9).verdict, 'PASS');
  const over = gate(0, 1, MODEL_FAMILY, 0, ending, 10);
  assert.deepEqual([over.verdict, over.inputs.sfu_signed_manifest], ['HOLD', 'named its cohort, and has expired']);
  assert.match(over.reason, /the signed manifest that named it has expired/);
});

test('families are judged apart, and the gate passes if one may accuse', () => {
  const families = [familyWith({ selfTestSmsPassed: 0 }), familyWith({ family: INT_AES })];
  const accused = deviceWith('accused', { families });
  const draft = draftOf([accused]);
  const answer = cohortGate((key) => censusOf(draft, key), CONFIG, accused, [FMA32, INT_AES], 5);
  assert.equal(answer.verdict, 'PASS');
  assert.deepEqual(answer.accusing, [INT_AES]);
});

test('a family that the device never announced may not accuse', () => {
  const accused = deviceWith('accused', { families: [] });
  const draft = draftOf([accused]);
  assert.equal(cohortGate((key) => censusOf(draft, key), CONFIG, accused, [FMA32], 5).verdict, 'HOLD');
});
