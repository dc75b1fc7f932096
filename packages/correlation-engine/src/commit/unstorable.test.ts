import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

describe('a record that the database cannot hold', () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  it('costs its sender, no one else, and is taken once the database can hold it', async () => {
    const [poison, ...others] = ['poison', 'a', 'b', 'c'].map((node) => new TestAgent(engine.grpc, { node }));
    assert.ok(poison !== undefined);
    for (const agent of [poison, ...others]) await agent.connect();
    await engine.sql(`alter table counters add constraint no_poison check (device_id <> 'CPU-poison')`);
    for (const agent of [...others, poison]) agent.sendAll(agent.batch(), agent.batch());
    assert.equal((await poison.failed()).code, 'INTERNAL');
    await Promise.all(others.map((agent) => agent.archived(2n)));
    assert.equal(poison.ack.committedThrough, 0n);
    assert.equal((await fetch(`http://${engine.http}/health`)).status, 200);
    const counted = `select device_id from counters where runs = 2 order by 1`;
    assert.equal((await engine.sql(counted)).length, 3, 'each record of the others is counted once');

    await engine.sql('alter table counters drop constraint no_poison');
    await poison.connect();
    poison.sendAll(1n, 2n);
    await poison.archived(2n);
    assert.equal((await engine.sql(counted)).length, 4);
    for (const agent of [poison, ...others]) agent.close();
  });
});
