import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { decides, Replicas } from '../testing/replicas.js';
import { runReplay } from './testing/run-replay.js';

let replicas: Replicas;
before(async () => {
  replicas = await Replicas.start(2);
});
after(() => replicas.remove());

/** A wrong result that the burst confirms. */
async function fails(agent: TestAgent, index: number): Promise<void> {
  const seen = agent.messages.length;
  agent.sendAll(agent.batch([{}, { index, fails: [{ sm: 1 }] }]));
  await agent.until(() => agent.messages.slice(seen).some(({ $case }) => $case === 'directive'));
  const found = agent.messages.slice(seen).find(({ $case }) => $case === 'directive');
  const directive = found?.$case === 'directive' ? found.value.id : '';
  agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index, directive, fails: [{ sm: 1 }] }]));
  await agent.archived(BigInt(agent.payloads.length));
}

it('a log that two replicas wrote, one after the other, replays the same', async () => {
  const [first, second] = replicas.all;
  assert.ok(first !== undefined && second !== undefined);
  const [one, two] = ['one', 'two'].map((node) => new TestAgent(first.grpc, { node }));
  assert.ok(one !== undefined && two !== undefined);
  await one.connect();
  await fails(one, 1);
  await first.stop();
  await decides(second);
  for (const agent of [one, two]) await agent.connect(second.grpc);
  await fails(two, 3);
  for (const agent of [one, two]) agent.close();
  const { code, report, text } = await runReplay(second.folder);
  assert.equal(code, 0, text || JSON.stringify(report?.disagreement));
  assert.deepEqual([report?.compared.devices, report?.compared.observations], [2, 4]);
  const [resumed] = await second.sql<{ count: string }>(
    `select count(*) from records where kind = 'resumed' and commit_seq not in (select commit_seq from log_bases)`,
  );
  assert.equal(Number(resumed?.count), 1, 'the second began with what the store had');
});
