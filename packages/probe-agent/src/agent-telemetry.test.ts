import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TelemetrySample } from '@sentinel/contracts/sentinel/v1/probe.js';
import { AgentProcess, TEST_KEY } from './testing/agent-process.js';
import { EngineStub } from './testing/engine-stub.js';
import { temporaryFolder } from './testing/folder.js';
import { until } from './testing/until.js';

const root = temporaryFolder();
const PATIENCE_MS = 60_000;

function samples(engine: EngineStub): TelemetrySample[] {
  return [...engine.distinct().values()].flatMap(({ payload: { body } }) =>
    body?.$case === 'telemetry' ? body.value.samples : [],
  );
}

test('the CPU says what it offers and what not, whole at the start and after a reconnection', async (t) => {
  const engine = new EngineStub(TEST_KEY);
  await engine.start();
  const agent = new AgentProcess(mkdtempSync(join(root, 'agent-')));
  t.after(async () => {
    await agent.end('SIGKILL');
    await engine.stop();
  });
  const config = {
    correlation_engine_endpoint: engine.address,
    telemetry: { collection_interval_s: 1 },
    backend: 'cpu',
  };
  agent.start(config);
  const first = await until('a sample', PATIENCE_MS, () => samples(engine)[0]);
  assert.equal(first.deviceId, engine.hellos[0]?.devices[0]?.id);
  assert.equal(first.partial, false);
  assert.ok(Object.keys(first.values).length + Object.keys(first.texts).length > 0);
  assert.ok(Math.abs(Number(first.timeUs) / 1000 - Date.now()) < 2 * PATIENCE_MS);
  const whole = () => samples(engine).filter(({ partial }) => !partial).length;
  await until('the connection', PATIENCE_MS, () => engine.hellos.length > 0);
  const before = whole();
  engine.cut();
  await until('a whole sample again', PATIENCE_MS, () => whole() > before);
  assert.doesNotMatch(agent.stdout, /not acted on/);
  assert.equal(await agent.end('SIGTERM'), 0);
  assert.deepEqual(engine.violations, []);
});
