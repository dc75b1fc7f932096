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
