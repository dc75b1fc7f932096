import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@sentinel/service-kit/clock';
import { eventually } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas, serves } from '../testing/replicas.js';
import { ClockWatch, MOST_AHEAD_MS } from './clock-watch.js';

const DAY_MS = 86_400_000;

it('a clock that is ahead of the database’s is told once, and that it is right again', () => {
  let nowUs = 0;
  const told: (string | null)[] = [];
  const watch = new ClockWatch(
    () => nowUs,
    (trouble) => told.push(trouble),
  );
  for (const ms of [MOST_AHEAD_MS, DAY_MS, DAY_MS, -DAY_MS, 0]) {
    nowUs = ms * 1000;
    watch.compare(0);
    assert.equal(watch.aheadMs, ms);
  }
  assert.deepEqual(told.length, 2);
  assert.match(told[0] ?? '', /^the clock of this machine is 86400 s ahead/);
  assert.equal(told[1], null);
});

describe('a replica whose clock is a day ahead', () => {
  let replicas: Replicas;
  let ahead: TestEngine;
  before(async () => {
    replicas = await Replicas.start(1);
    const clock = { ...systemClock, nowUs: () => systemClock.nowUs() + BigInt(DAY_MS) * 1000n };
    ahead = await replicas.add({}, { clock });
    await replicas.add();
  });
  after(() => replicas.remove());

  it('says so, and leaves the lead to another one', async () => {
    const answer = await fetch(`http://${ahead.http}/health`);
    const { reasons } = (await answer.json()) as { reasons: string[] };
    assert.equal(answer.status, 200);
    assert.match(reasons.join(), /the clock of this machine is 86\d{3} s ahead of the database's/);
    assert.ok((await ahead.metric('sentinel_replica_clock_ahead_seconds')) > 86_000);
    const third = replicas.all[2] as TestEngine;
    for (let round = 1; round <= 3; round += 1) {
      const [from, to] = round % 2 === 1 ? [replicas.first, third] : [third, replicas.first];
      const times = to.lines.filter(({ message }) => message === 'this replica decides').length + 1;
      await from.stop();
      await decides(to, times);
      await from.start();
      await serves(from);
    }
    assert.equal(
      ahead.lines.some(({ message }) => message === 'this replica decides'),
      false,
    );
  });

  it('decides where no other one does; the next one says that time stands still', async () => {
    for (const engine of replicas.all) if (engine !== ahead) await engine.stop();
    await decides(ahead);
    const agent = new TestAgent(ahead.grpc, { node: 'n1' });
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    agent.close();
    const { first } = replicas;
    const times = first.lines.filter(({ message }) => message === 'this replica decides').length + 1;
    await first.start();
    await serves(first);
    await ahead.stop();
    await decides(first, times);
    const said = () => first.lines.some(({ message }) => String(message).startsWith('the time of the log is 86'));
    await eventually(said, { what: 'it says so' });
  });
});
