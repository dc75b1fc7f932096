import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError, type Environment } from '@sentinel/service-kit/config';
import { temporaryFolder } from '@sentinel/test-kit';
import { openDataFolder } from './data-folder.js';
import { parseFlags } from './flags.js';
import { type Installation, planInstallation } from './installation.js';
import { ensureSecrets } from './secrets.js';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');

async function plan(argv: readonly string[], env: Environment = {}): Promise<Installation> {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.join('data with a blank'));
  return await planInstallation({ root: ROOT, folder, secrets: ensureSecrets(folder), flags: parseFlags(argv), env });
}

test('the documented ports, on loopback', async () => {
  const { endpoints, metrics, neededPorts, metricsPorts } = await plan([]);
  assert.deepEqual(endpoints.engine, { grpc: '127.0.0.1:50051', http: '127.0.0.1:8080' });
  assert.deepEqual(endpoints.ledger, { grpc: '127.0.0.1:50052', http: '127.0.0.1:8083' });
  assert.deepEqual(metrics, { ledger: '127.0.0.1:9091', engine: '127.0.0.1:9090', agent: '127.0.0.1:9092' });
  assert.equal(neededPorts.length, 4);
  assert.deepEqual(
    metricsPorts.map(({ key }) => key),
    [
      'audit_ledger.metrics.listen_address',
      'correlation_engine.metrics.listen_address',
      'probe_agent.metrics.listen_address',
    ],
  );
});

test('only an injection starts the test build, which only then the engine allows', async () => {
  const command = ({ specs }: Installation, name: 'agent' | 'engine'): string => specs[name].command.join(' ');
  const plainStart = await plan([]);
  assert.match(command(plainStart, 'agent'), /sentinel-probe-agent\.mjs/);
  assert.doesNotMatch(command(plainStart, 'agent') + command(plainStart, 'engine'), /--inject|allow_test_builds/);
  const injected = await plan(['--inject', 'core=1,family=fma32,rate=0.01']);
  assert.match(command(injected, 'agent'), /sentinel-probe-agent-test\.mjs .*--inject core=1,family=fma32,rate=0\.01$/);
  assert.match(command(injected, 'engine'), /--override allow_test_builds=true/);
});

test('free ports are all different, and every service knows those of the others', async () => {
  const { endpoints, metrics, specs } = await plan(['--free-ports']);
  const { engine, ledger } = endpoints;
  const all = [engine.grpc, engine.http, ledger.grpc, ledger.http, ...Object.values(metrics)];
  assert.equal(new Set(all).size, 7);
  assert.ok(specs.engine.command.includes(`audit_ledger_endpoint=${ledger.grpc}`));
  assert.ok(specs.agent.command.includes(`correlation_engine_endpoint=${engine.grpc}`));
});

test('no secret is on a command line', async () => {
  const { specs } = await plan([]);
  const words = Object.values(specs).flatMap(({ command }) => command);
  const secret = words.filter((word) => /^(operator_token|service_token|hmac_key|hmac_keys|signing_key)=/.test(word));
  assert.deepEqual(secret, []);
});

test('a wrong key and a wrong variable are said before anything is started', async () => {
  await assert.rejects(
    plan(['--override', 'correlation_engine.mod=observe']),
    (error) => error instanceof ConfigError && /did you mean mode/.test(error.message),
  );
  await assert.rejects(plan([], { SENTINEL_PROBE_AGENT_BATCH_SIZE: 'many' }), ConfigError);
});
