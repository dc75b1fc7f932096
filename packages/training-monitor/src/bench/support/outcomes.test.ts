import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnomalyEvent } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { type Fault, outcomeOf } from './outcomes.js';

const fault: Fault = { kind: 'weight', rank: 2, first: 10, last: 20, masked: false };
const event = (gpus: string[], step: number, detector = 'replica') =>
  AnomalyEvent.fromPartial({ source: `training-monitor/${detector}`, gpus, job: { step: BigInt(step) } });
const ALL = [0, 1, 2, 3];

test('right is the device of the rank and no other, from comparisons of its steps', () => {
  assert.equal(outcomeOf(fault, [event(['GPU-2'], 10), event(['GPU-2'], 20)], ALL), 'right');
  assert.equal(outcomeOf(fault, [event(['GPU-1'], 12)], ALL), 'wrong');
  assert.equal(outcomeOf(fault, [event(['GPU-2'], 12), event(['GPU-1'], 12)], ALL), 'wrong');
  assert.equal(outcomeOf(fault, [event(['GPU-2'], 9), event(['GPU-2'], 21)], ALL), 'missed');
  assert.equal(outcomeOf(fault, [event(['GPU-2'], 12, 'loss')], ALL), 'missed');
});

test('of two replicas both are named, and of a file nobody', () => {
  assert.equal(outcomeOf(fault, [event(['GPU-0'], 12), event(['GPU-2'], 12)], [0, 2]), 'right');
  assert.equal(outcomeOf(fault, [event(['GPU-2'], 12)], [0, 2]), 'wrong');
  assert.equal(outcomeOf({ ...fault, kind: 'checkpoint' }, [event([], 12, 'checkpoint')], ALL), 'right');
});
