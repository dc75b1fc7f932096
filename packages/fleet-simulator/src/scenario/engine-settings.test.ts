import assert from 'node:assert/strict';
import { it } from 'node:test';
import { coreConfig } from '@sentinel/correlation-engine/settings';
import { DECIDING, engineSettings, settingProblems } from './engine-settings.js';

it('exactly the settings that decisions read are taken', () => {
  const read = new Set<string>();
  const watched = new Proxy(engineSettings({}), {
    get: (config, name) => {
      read.add(String(name));
      return Reflect.get(config, name) as unknown;
    },
  });
  coreConfig(watched);
  assert.deepEqual([...read].sort(), [...DECIDING].sort());
});

it('what is wrong is said by key, with the nearest one', () => {
  const problems = settingProblems({
    'gates.dwell': 5,
    'gates.dwell_seconds': -1,
    mode: 'observe',
    'database.postgres_url': 'postgres://x/y',
    'tls.enabled': true,
  });
  assert.deepEqual(
    problems.map(({ key, reason }) => `${key} ${reason}`.slice(0, 60)),
    [
      'database.postgres_url does nothing in a simulation, which ha',
      'tls.enabled does nothing in a simulation, which has the deci',
      'gates.dwell unknown key; did you mean gates.dwell_seconds?',
      'gates.dwell_seconds expected a whole number from 0 to 604800',
    ],
  );
  assert.deepEqual(settingProblems({ mode: 'observe', 'gates.dwell_seconds': 5 }), []);
});
