import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { OPERATOR_TOKEN, TestAgent } from '@sentinel/correlation-engine/testing';
import { temporaryFolder, testDatabase, testServer } from '@sentinel/test-kit';
import { batchOf, device } from '../harness/batches.js';
import { sentinel } from '../harness/cli.js';
import { ReplicaSet } from '../harness/replica-set.js';
import { ScriptedAgent } from '../harness/scripted-agent.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { Watch } from '../harness/watch.js';

const NODE = 'watched-node';
const ROUNDS = 3;

test('sentinel watch misses no transition, whatever happens to the engine, and tells none twice', {
  timeout: 400_000,
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
    // One order, however often it is sent: it may be carried out without the answer coming back.
    const args = [verb, target.id, '--reason', 'a test', '--id', randomUUID()];
    await until(`the ${verb}`, 90_000, async () => (await sentinel(stack, ...args)).code === 0, 200);
  };
  await agent.hello();
  await agent.send(batchOf(target, [{}]));
  agent.close();
  await using watch = await Watch.of(stack);
  await until('the first look', 60_000, () => watch.lines.some(({ gpu }) => gpu === target.id));
  const expected: string[] = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    await order('quarantine');
    // What was committed a moment ago may not have been told.
    await stack.engine.kill();
    await order('reinstate');
    expected.push('HEALTHY QUARANTINED', 'QUARANTINED HEALTHY');
  }
  await until('the last transition', 90_000, () => watch.transitions.length >= expected.length);
  assert.deepEqual(watch.transitions, expected);
  const said = watch.lines.filter(({ gpu }) => gpu === '').map(({ text }) => text);
  assert.ok(said.some((text) => /told afterwards: no live updates from /.test(text)));
  assert.ok(said.some((text) => /the engine answers again/.test(text)));
  assert.equal(await watch.stop(), 0);
});

const [postgres, redis] = [await testServer('postgres'), await testServer('redis')];

test('at a replica that carries calls it misses nothing either, when the one that decides is killed, or its own', {
  timeout: 500_000,
  skip: postgres.skip || redis.skip,
}, async () => {
  await using folder = await temporaryFolder();
  chmodSync(folder.path, 0o755);
  const database = await testDatabase();
  await using replicas = await ReplicaSet.start({
    folder: folder.path,
    count: 2,
    settings: (_, link) => ({
      database: { postgres_url: database.url, sslmode: 'disable' },
      history: { url: `file://${folder.join('history')}` },
      redis: { url: redis.url },
      replica: { listen_address: link },
    }),
  });
  const agent = new TestAgent(replicas.at(0).grpc, { node: 'watched' });
  await agent.connect();
  agent.close();
  const watched = replicas.at(1);
  await using watch = await Watch.start('--engine', watched.grpc, '--engine-http', watched.http);
  await until('the first look', 60_000, () => watch.lines.some(({ gpu }) => gpu === agent.device));
  const expected: string[] = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const leader = await replicas.leader();
    await orderAt(replicas.at(leader).http, 'QUARANTINE', agent.device);
    await replicas.at(leader).service.kill();
    await orderAt(replicas.at(1 - leader).http, 'REINSTATE', agent.device);
    await replicas.at(leader).service.start();
    await replicas.serves(leader);
    expected.push('HEALTHY QUARANTINED', 'QUARANTINED HEALTHY');
  }
  await until('the last transition', 90_000, () => watch.transitions.length >= expected.length);
  assert.deepEqual(watch.transitions, expected);
  await replicas.stop();
  await database.drop();
});

/** As soon as somebody decides. */
async function orderAt(http: string, action: string, gpu: string): Promise<void> {
  const body = JSON.stringify({ directive_id: randomUUID(), gpu, action: `ACTION_${action}`, reason: 'a test' });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` };
  const ordered = async () => (await fetch(`http://${http}/api/v1/quarantine`, { method: 'POST', headers, body })).ok;
  await until(`the ${action}`, 90_000, () => ordered().catch(() => false), 100);
}
