import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas, serves } from '../testing/replicas.js';

describe('replicas', () => {
  let replicas: Replicas;
  let a: TestEngine;
  let b: TestEngine;
  before(async () => {
    replicas = await Replicas.start(2);
    [a, b] = replicas.all as [TestEngine, TestEngine];
  });
  after(() => replicas.remove());

  const says = (engine: TestEngine, text: string) =>
    eventually(() => engine.lines.some(({ message }) => message === text), { what: text });

  it('one decides, the other knows which', async () => {
    await says(b, 'another replica decides');
    assert.equal(
      b.lines.some(({ message }) => message === 'this replica decides'),
      false,
    );
    const agent = new TestAgent(a.grpc, { node: 'n1' });
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    agent.close();
  });

  it('a leader whose lease was taken follows, and the other one goes on where it was', async () => {
    // As if it had stood still: its lease is over, and its renewal comes too late.
    await a.sql(`update leader set renewed_at = '-infinity', epoch = epoch + 1`);
    await says(a, 'this replica does not decide any more: its lease was over and another one took the lead');
    await Promise.race([decides(b), decides(a, 2)]);
    const [head] = await a.sql<{ leader_epoch: string; epoch: string }>('select leader_epoch, epoch from head, leader');
    assert.equal(head?.leader_epoch, head?.epoch);
    assert.deepEqual([a.fatal, b.fatal], [[], []]);
  });

  it('when the leader stops, the other one takes over within two seconds', async () => {
    const decided = (engine: TestEngine) =>
      engine.lines.filter(({ message }) => message === 'this replica decides').length;
    let other = b;
    let ms = Number.POSITIVE_INFINITY;
    // The quickest of three: a busy machine delays one of them, a hand-over that waits for the end of the lease takes as long each time.
    for (let round = 1; round <= 3 && ms >= 2_000; round += 1) {
      const led = await replicas.leader();
      other = led === a ? b : a;
      const times = decided(other) + 1;
      const started = performance.now();
      await Promise.all([led.stop(), decides(other, times)]);
      ms = Math.min(ms, performance.now() - started);
      if (ms >= 2_000) await serves(await led.start());
    }
    assert.ok(ms < 2_000, `hand-over took ${Math.round(ms)} ms`);
    const agent = new TestAgent(other.grpc, { node: 'n1' });
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    agent.close();
    const [counted] = await other.sql<{ runs: string }>('select sum(runs) as runs from counters');
    assert.equal(counted?.runs, '2');
  });
});
