import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import type { HealthState } from '../evidence/model/terms.js';
import { newStep } from '../evidence/step.js';
import { deviceWith, draftOf, NOW_US, unitWith } from '../evidence/testing/device.js';
import { unitsDetail } from './detail.js';
import { mayBecome, transition } from './transition.js';

const STATES: HealthState[] = ['HEALTHY', 'SUSPECT', 'QUARANTINED', 'DEEP_TEST', 'CONDEMNED'];

test('the way of a device', () => {
  const ways = STATES.map((from) => `${from} -> ${STATES.filter((to) => mayBecome(from, to)).join(' ')}`);
  assert.deepEqual(ways, [
    'HEALTHY -> SUSPECT QUARANTINED',
    'SUSPECT -> HEALTHY QUARANTINED',
    'QUARANTINED -> HEALTHY DEEP_TEST CONDEMNED',
    'DEEP_TEST -> HEALTHY QUARANTINED CONDEMNED',
    'CONDEMNED -> ',
  ]);
});

test('a transition is recorded once for the store and once for the ledger, under one id', () => {
  const device = deviceWith('d', { units: [unitWith({ counted: 1 })] });
  const step = newStep(
    draftOf([device]),
    { commitSeq: 7, nowUs: NOW_US },
    { kind: 'record', commitSeq: 7 },
    posteriorOdds,
  );
  transition(step, device, { to: 'SUSPECT', reason: 'r', timeUs: NOW_US - 5, actor: '' });
  const [move] = step.effects.transitions;
  const [entry] = step.effects.outbox;
  assert.equal(move?.eventId, entry?.eventId);
  assert.deepEqual([move?.from, move?.to, move?.timeUs, move?.commitSeq], ['HEALTHY', 'SUSPECT', NOW_US - 5, 7]);
  assert.deepEqual([entry?.type, entry?.gpu, entry?.detail.to], ['DECISION', 'd', 'SUSPECT']);
  assert.throws(() => transition(step, device, { to: 'DEEP_TEST', reason: '', timeUs: 0, actor: '' }), RangeError);
});

test('a ledger entry names a bounded number of units and counts the rest', () => {
  const units = Array.from({ length: 40 }, (_, sm) => unitWith({ sm }));
  const detail = unitsDetail(deviceWith('d', { units }));
  assert.equal(detail.length, 33);
  assert.deepEqual(detail.at(-1), { more_units: 8 });
});
