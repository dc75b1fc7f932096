import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../decision.js';
import type { DeviceState } from '../model/device.js';
import type { CoreConfig } from '../model/settings.js';
import { newStep } from '../step.js';
import { FMA32, MODEL_FAMILY } from '../testing/batches.js';
import { CONFIG } from '../testing/config.js';
import { deviceWith, draftOf, familyWith, NOW_US, unitWith } from '../testing/device.js';
import { earliest, evaluateGates } from './evaluate.js';

const families = [familyWith(), familyWith({ family: MODEL_FAMILY })];
const PASSED = { verdict: 'PASS' as const, reason: 'r', inputs: {}, evaluatedUs: NOW_US };
const HELD = { ...PASSED, verdict: 'HOLD' as const, reason: 'The golden changed.' };

function evaluate(fields: Partial<DeviceState>, config: CoreConfig = CONFIG) {
  const firstObservationUs = NOW_US - 3_600_000_000;
  const device = deviceWith('d', { state: 'SUSPECT', families, firstObservationUs, ...fields });
  const step = newStep(
    draftOf([device], {}, config),
    { commitSeq: 1, nowUs: NOW_US },
    { kind: 'record', commitSeq: 1 },
    posteriorOdds,
  );
  return evaluateGates(step, device);
}

const enough = unitWith({ counted: 2, answers: 1 });

test('evidence of a qualified family is enough, and only what says HOLD holds', () => {
  const { decision, held, gates } = evaluate({ units: [enough] });
  assert.equal(decision.quarantine, true);
  assert.equal(held, false);
  assert.ok(gates.some((gate) => gate.verdict === 'NOT_EVALUABLE'));
});

test('evidence that needs an unqualified family to suffice is held by gate 3', () => {
  const first = unitWith({ counted: 1 });
  const answer = unitWith({ family: MODEL_FAMILY, counted: 1, answers: 1 });
  const { decision, held, gates } = evaluate({ units: [first, answer] });
  assert.equal(decision.quarantine, true);
  assert.equal(held, true);
  assert.deepEqual(
    gates.filter((gate) => gate.verdict === 'HOLD').map((gate) => gate.number),
    [3],
  );
  assert.match(gates.find((gate) => gate.number === 3)?.reason ?? '', /does not suffice alone/);
  assert.equal(evaluate({ units: [enough, { ...answer, family: FMA32 }] }).held, false);
});

test('a newest mismatch that gate 1 held takes nothing back from a decision that stands on others', () => {
  const newest = [
    { number: 1, name: 'integrity' as const, ...HELD },
    { number: 2, name: 'locality' as const, ...PASSED },
  ];
  assert.equal(evaluate({ units: [enough], gates: newest }).gates[0]?.verdict, 'PASS');
  assert.match(evaluate({ units: [enough], gates: newest }).gates[0]?.reason ?? '', /not counted: The golden changed/);
  assert.equal(evaluate({ units: [unitWith({ counted: 1 })], gates: newest }).gates[0]?.verdict, 'HOLD');
});

test('the earliest of some times', () => {
  assert.equal(earliest([null, 5, 3]), 3);
  assert.equal(earliest([null]), null);
});
