import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testServer } from '@sentinel/test-kit';
import { testCluster } from '../testing/cluster-settings.js';
import { closeCql } from './client.js';
import { openClusterSchema } from './cluster-schema.js';
import { type CqlConfig, connectCql } from './connect.js';
import type { SchemaPart } from './schema-steps.js';

const server = await testServer('cassandra');
const ROUNDS = 8;
const INSTANCES = 6;
/** Between two starts: about as long as Cassandra takes for a table. */
const APART_MS = 20;

const PART: SchemaPart = {
  name: 'things',
  steps: ['a', 'b'].map((name) => ({
    name,
    up: [`CREATE TABLE IF NOT EXISTS things_${name} (id int PRIMARY KEY)`],
    down: [`DROP TABLE IF EXISTS things_${name}`],
  })),
};

async function upAfter(ms: number, cluster: CqlConfig): Promise<readonly string[]> {
  await delay(ms);
  await using schema = await openClusterSchema(cluster, 'test', PART, true);
  const before = await schema.status();
  assert.deepEqual(
    before.map(({ name }) => name),
    ['a', 'b'],
  );
  return await schema.up(undefined);
}

it('instances that start one soon after the other on a cluster that has nothing take each step once, and none fails', {
  skip: server.skip,
}, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const cluster = testCluster(server.url);
    const taken = await Promise.all(Array.from({ length: INSTANCES }, (_, i) => upAfter(i * APART_MS, cluster)));
    assert.deepEqual(taken.flat().sort(), ['a', 'b']);
    const client = await connectCql(cluster, 'test');
    await client.execute(`DROP KEYSPACE ${cluster.keyspace}`, [], { prepare: false, readTimeout: 30_000 });
    await closeCql(client);
  }
});
