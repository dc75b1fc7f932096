import assert from 'node:assert/strict';
import { it } from 'node:test';
import { engineConfigOf, simulate } from '../simulate.js';
import { scenarioFile, shippedScenarios } from './files.js';
import { loadScenario } from './read.js';

it('every scenario that comes with SENTINEL is right, has its own name and runs', () => {
  const names = shippedScenarios();
  assert.ok(names.includes('healthy_fleet') && names.length > 10);
  for (const name of names) {
    const scenario = loadScenario(scenarioFile(name));
    assert.equal(scenario.name, name);
    const { records } = simulate({ ...scenario, hours: Math.min(1, scenario.hours) }, 1, {
      config: engineConfigOf(scenario),
    });
    assert.ok(records > 0, name);
  }
});

it('a path stays a path', () => {
  assert.equal(scenarioFile('./healthy_fleet'), './healthy_fleet');
  assert.equal(scenarioFile('no_such_scenario'), 'no_such_scenario');
});
