import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseScenario } from './scenario/read.js';
import { simulate } from './simulate.js';

const UNIT = `
name: unit
hours: 24
fleet: { gpus: 40 }
faults: [{ kind: unit, gpu: 3, family: tc_fp16, rate: 1 }]
`;

it('the same scenario and seed give the same events, another seed others', () => {
  const scenario = parseScenario('unit.yaml', UNIT, { 'faults.0.rate': '0.01' });
  const [first, again, other] = [1, 1, 2].map((seed) => simulate(scenario, seed));
  assert.deepEqual(again, first);
  assert.notEqual(other?.digest, first?.digest);
});

it('a stuck unit is suspected at its first run and quarantined after the dwell', () => {
  const { struck, falseQuarantines } = simulate(parseScenario('unit.yaml', UNIT), 1);
  assert.deepEqual(
    struck.map(({ suspectHours, quarantineHours }) => [suspectHours, quarantineHours]),
    [[1 / 60, 1 / 60 + 600 / 3600]],
  );
  assert.deepEqual(falseQuarantines, []);
});

it('a healthy fleet is left alone', () => {
  const outcome = simulate(parseScenario('healthy.yaml', 'name: healthy\nhours: 24\nfleet: { gpus: 100 }'), 1);
  assert.deepEqual([outcome.falseQuarantines, outcome.falseSuspects, outcome.observations], [[], 0, 0]);
});

it('what jobs alone show is quarantined once a second comparison was asked for and lost', () => {
  const fault = UNIT.replace('kind: unit', 'kind: gpu').replace('family: tc_fp16, rate: 1', 'rate: 1e-12');
  const lost = [
    [1, 3],
    [2, 3],
    [1, 20],
  ].map(([hours, gpu]) => `{ at_hours: ${hours}, what: lose_in_job, gpu: ${gpu} }`);
  const outcome = simulate(parseScenario('jobs.yaml', `${fault}events: [${lost.join(', ')}]`), 1);
  assert.deepEqual(
    outcome.struck.map(({ suspectHours, quarantineHours }) => [suspectHours, quarantineHours]),
    [[1, 2]],
  );
  assert.deepEqual([outcome.falseQuarantines, outcome.falseSuspects], [[], 1]);
});

it('a repaired unit comes back, after its clean executions', () => {
  const events = 'events: [{ at_hours: 10, what: repair, gpu: 3 }]';
  const { returns } = simulate(parseScenario('repair.yaml', UNIT + events), 1);
  assert.equal(returns.length, 1);
  assert.equal(returns[0]?.after, 'fault');
});
