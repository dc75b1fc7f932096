import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigError } from '@sentinel/service-kit/config';
import { parseScenario } from './read.js';

function problemsOf(content: string): string[] {
  try {
    parseScenario('s.yaml', content);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
  return [];
}

it('what is left out has defaults', () => {
  const scenario = parseScenario('s.yaml', 'name: s\nhours: 1\nfaults: [{ kind: unit, rate: 0.5 }]');
  assert.equal(scenario.warmupHours, 1344);
  assert.equal(scenario.fleet.sms, 132);
  assert.deepEqual([scenario.faults[0]?.name, scenario.faults[0]?.count], ['unit 1', 1]);
});

it('single values can be set from outside', () => {
  const set = { hours: '7', 'faults.0.rate': '1e-3', 'engine.gates.dwell_seconds': '5' };
  const scenario = parseScenario('s.yaml', 'name: s\nhours: 1\nfaults: [{ kind: unit, rate: 0.5 }]', set);
  assert.deepEqual(
    [scenario.hours, scenario.faults[0]?.rate, scenario.engine],
    [7, 1e-3, { 'gates.dwell_seconds': 5 }],
  );
});

it('every mistake is named with its line', () => {
  const problems = problemsOf(
    'name: s\nhours: -1\nfleet: { gpu: 3 }\nfaults:\n  - { kind: unit }\n  - { kind: odd, rate: 2 }\n',
  );
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, 38)),
    [
      's.yaml:2: hours: expected a number fro',
      's.yaml:3: fleet.gpu: unknown key; did ',
      's.yaml:5: faults.rate: missing',
      's.yaml:6: faults.kind: expected one of',
      's.yaml:6: faults.rate: expected a numb',
    ],
  );
});

it('a fault finds what it strikes, and begins before the end', () => {
  const fault = (words: string) => {
    const file = `name: s\nhours: 10\nfleet: { gpus: 24 }\nfaults: [{ kind: ${words}, rate: 1 }]\n`;
    return problemsOf(file).map((problem) => problem.replace('s.yaml:4: faults.', ''));
  };
  assert.deepEqual(fault('gpu, count: 100'), ['count: the fleet has 24 GPUs']);
  assert.deepEqual(fault('unit, gpu: 20, count: 5'), ['count: the fleet has 24 GPUs, 4 from number 20 on']);
  assert.deepEqual(fault('node, count: 4'), ['count: the fleet has 3 nodes']);
  assert.deepEqual(fault('software, node: 1, count: 3'), ['count: the fleet has 3 nodes, 2 from number 1 on']);
  assert.deepEqual(fault('gpu, start_hours: 10'), [
    'start_hours: begins when the simulation is over, which goes on for 10 hours',
  ]);
  assert.deepEqual(fault('node, start_hours: 9, spread_hours: 2'), [
    'spread_hours: some begin when the simulation is over, which goes on for 10 hours',
  ]);
  for (const fine of ['gpu, count: 24', 'node, node: 2', 'software, start_hours: 9, spread_hours: 24'])
    assert.deepEqual(fault(fine), []);
});

it('a setting of the engine hides no contradiction', () => {
  const file = 'name: s\nhours: 1\nengine: { mode: obey }\nfaults: [{ kind: gpu, rate: 1, count: 5000 }]\n';
  assert.deepEqual(
    problemsOf(file).map((problem) => problem.split(': ', 2).join(' ')),
    ['s.yaml:4 faults.count', 's.yaml:3 engine.mode'],
  );
});

it('settings of the engine are checked with everything else, each at its line', () => {
  const problems = problemsOf(
    'name: s\nhours: -1\nengine:\n  gates.dwell: 5\n  mode: obey\n  database.postgres_url: postgres://x/y\n',
  );
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, 60)),
    [
      's.yaml:2: hours: expected a number from 0 to 1000000, found number -1'.slice(0, 60),
      's.yaml:6: engine.database.postgres_url: does nothing in a si',
      's.yaml:4: engine.gates.dwell: unknown key; did you mean gate',
      's.yaml:5: engine.mode: expected one of observe, enforce, fou',
    ],
  );
});
