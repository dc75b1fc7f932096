import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, device } from '../harness/batches.js';
import { sentinel } from '../harness/cli.js';
import { ScriptedAgent } from '../harness/scripted-agent.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { Watch } from '../harness/watch.js';

const NODE = 'watched-node';
const ROUNDS = 3;

test('sentinel watch misses no transition, whatever happens to the engine, and tells none twice', {
  timeout: 180_000,
}, async () => {
  await using stack = await Stack.start({
    tls: true,
    engine: { gates: { rate_limit: { hour_min: 100, day_min: 100 } } },
  });
  stack.engine.keepUp();
  const target = device('CPU-watched', 4);
  const agent = new ScriptedAgent({
    connection: stack.connection('engine', 'probe-agent'),
    node: NODE,
    fleetKey: stack.secrets.fleetKey,
    devices: [target],
  });
  const order = async (verb: string): Promise<void> => {
    const done = async () => (await sentinel(stack, verb, target.id, '--reason', 'a test')).code === 0;
    await until(`the ${verb}`, 30_000, done, 200);
  };
  await agent.hello();
  await agent.send(batchOf(target, [{}]));
  agent.close();
  await using watch = await Watch.start(stack);
  await until('the first look', 20_000, () => watch.lines.some(({ gpu }) => gpu === target.id));
  const expected: string[] = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    await order('quarantine');
    // What was committed a moment ago may not have been told.
    await stack.engine.kill();
    await order('reinstate');
    expected.push('HEALTHY QUARANTINED', 'QUARANTINED HEALTHY');
  }
  await until('the last transition', 30_000, () => watch.transitions.length >= expected.length);
  assert.deepEqual(watch.transitions, expected);
  const said = watch.lines.filter(({ gpu }) => gpu === '').map(({ text }) => text);
  assert.ok(said.some((text) => /no live updates from .*; what happens meanwhile is told afterwards/.test(text)));
  assert.ok(said.some((text) => /the engine answers again/.test(text)));
  assert.equal(await watch.stop(), 0);
});
