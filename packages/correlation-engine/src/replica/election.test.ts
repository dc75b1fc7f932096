import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sentinel/test-kit';
import type { Leadership } from '../store/lease.js';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas } from '../testing/replicas.js';
import { Election } from './election.js';

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

  it('when the leader stops, the other one takes over without waiting for the end of the lease', async () => {
    const led = await replicas.leader();
    const other = led === a ? b : a;
    const times = other.lines.filter(({ message }) => message === 'this replica decides').length + 1;
    await Promise.all([led.stop(), decides(other, times)]);
    const agent = new TestAgent(other.grpc, { node: 'n1' });
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    agent.close();
    const [counted] = await other.sql<{ runs: string }>('select sum(runs) as runs from counters');
    assert.equal(counted?.runs, '2');
  });
});

describe('a replica that could not look for a while', () => {
  const LEASE_MS = 300;
  const LED: Leadership = { holder: 'other', epoch: 1, address: 'other:1', valid: true, nowUs: 0 };
  const OVER = { ...LED, valid: false };

  /** Who leads, as a follower says that sees a leader, after a while without an answer `then`, and from there on `last`. */
  const follows = async (then: Leadership, last = then): Promise<(string | null)[]> => {
    const said: (string | null)[] = [];
    let looks = 0;
    const read = async (): Promise<Leadership> => {
      looks += 1;
      if (looks === 2) await sleep(LEASE_MS);
      return [LED, then][looks - 1] ?? last;
    };
    const lease = { ms: LEASE_MS, read, renew: async () => true, release: async () => {}, close: async () => {} };
    const election = new Election(lease, {
      follow: (leader) => said.push(leader?.holder ?? null),
      lead: async () => false,
      defers: () => false,
      epoch: () => null,
      superseded: () => {},
      expired: () => {},
      failed: () => {},
    });
    election.start();
    await eventually(() => said.length >= 2 && looks >= 3, { what: 'it looked again' });
    await election.stop();
    return said;
  };

  it('gives a leader the time to renew its lease', async () => {
    assert.ok(!(await follows(OVER, LED)).includes(null));
  });

  it('follows nobody where the lease is not renewed, or was given up', async () => {
    assert.deepEqual((await follows(OVER)).slice(0, 2), ['other', null]);
    assert.deepEqual((await follows({ ...OVER, holder: '' }, LED)).slice(0, 2), ['other', null]);
  });
});
