import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { agentEnvironment } from './agent-environment.mjs';
import { temporaryFolder } from './testing.mjs';

const [none, running] = [() => null, () => 'key of compose'];
const KEY = 'SENTINEL_PROBE_AGENT_HMAC_KEY';

test('the default configuration gets the key of what runs: of compose, else of npm start', (t) => {
  const root = temporaryFolder(t, { '.sentinel/secrets/hmac.key': 'key of npm start' });
  const config = path.join(root, 'config/sentinel.default.yaml');
  const data = { SENTINEL_PROBE_AGENT_DATA_DIR: path.join(root, '.sentinel/agent-spool') };
  for (const args of [['--config', config], [`--config=${config}`]]) {
    assert.deepEqual(agentEnvironment(args, {}, root, running), { ...data, [KEY]: 'key of compose' });
    const file = path.join(root, '.sentinel/secrets/hmac.key');
    assert.deepEqual(agentEnvironment(args, {}, root, none), { ...data, [`${KEY}_PATH`]: file });
  }
  assert.deepEqual(agentEnvironment(['--config', config], {}, temporaryFolder(t), none), {});
});

test('whatever was said stays', (t) => {
  const root = temporaryFolder(t);
  const config = path.join(root, 'config/sentinel.default.yaml');
  const own = { [KEY]: 'own', SENTINEL_PROBE_AGENT_DATA_DIR: '/own' };
  assert.deepEqual(agentEnvironment(['--config', config], own, root, running), own);
  assert.deepEqual(agentEnvironment(['--config', '/own.yaml'], {}, root, running), {});
  assert.deepEqual(agentEnvironment([], {}, root, running), {});
});
