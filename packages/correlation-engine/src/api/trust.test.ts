import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Directive } from '@sentinel/contracts/sentinel/v1/control.js';
import { ProbeBatch } from '@sentinel/contracts/sentinel/v1/probe.js';
import {
  type GetTrustGraphRequest,
  type GetTrustGraphResponse,
  CanaryOutcome_Outcome as Outcome,
  TrustServiceClient,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { columns } from '../evidence/testing/batches.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

const RIGHT = 0x1111;

describe('canaries and the trust graph, asked over gRPC and HTTP', () => {
  const engine = new TestEngine({
    // Whoever is slow votes all the same.
    tmr: { interval_seconds: 1, timeout_ms: 300_000 },
    trust_graph: { snapshot_interval_seconds: 10 },
  });
  let shiftUs = 0n;
  const clock = { ...systemClock, nowUs: () => systemClock.nowUs() + shiftUs };
  const agents: TestAgent[] = [];
  let client: TrustServiceClient;
  before(async () => {
    await engine.start({ clock });
    client = createClient(TrustServiceClient, { address: engine.grpc, tls: null, token: '' });
    for (const node of ['a', 'b', 'c']) {
      const agent = new TestAgent(engine.grpc, { node });
      await agent.connect();
      agents.push(agent);
    }
  });
  after(async () => {
    for (const agent of agents) agent.close();
    client.close();
    await engine.remove();
  });

  const graph = (request: Partial<GetTrustGraphRequest> = {}): Promise<GetTrustGraphResponse> =>
    callUnary(client, client.getTrustGraph, { gpu: '', limit: 0, atUs: 0n, ...request });
  /** What an agent is asked next to execute. */
  const asked = async (agent: TestAgent): Promise<Directive> => {
    const found = () => agent.messages.find((message) => message.$case === 'directive');
    await agent.until(() => found() !== undefined);
    const message = found();
    assert.ok(message?.$case === 'directive' && message.value.work?.$case === 'canary');
    // Of a later canary there may be one already: it is for the next round.
    agent.messages.splice(0, agent.messages.indexOf(message) + 1);
    return message.value;
  };
  const answer = async (agent: TestAgent, { id, deviceId, work }: Directive, digest: number): Promise<void> => {
    assert.ok(work?.$case === 'canary');
    const { family, epoch, index } = work.value;
    const run = { kind: RunKind.CANARY, family, epoch, index, directive: id };
    const batch = ProbeBatch.fromPartial(columns(Date.now() * 1000, deviceId, [run]) as ProbeBatch);
    batch.canaries = [{ run: 0, digests: [digest, digest, digest, digest] }];
    const sequence = agent.payload({ $case: 'probeBatch', value: batch });
    agent.sendAll(sequence);
    await agent.committed(sequence);
  };
  const round = async (...digests: (number | null)[]): Promise<void> => {
    const before = (await graph()).canaries.length;
    const orders = await Promise.all(agents.map(asked));
    for (const [i, agent] of agents.entries()) {
      const digest = digests[i] ?? null;
      if (digest !== null) await answer(agent, orders[i] as Directive, digest);
    }
    await eventually(async () => (await graph()).canaries.length > before, { what: 'the canary is closed' });
  };

  it('a canary is sent to three agents, their digests are counted, and everybody can ask who agreed', async () => {
    await round(RIGHT, RIGHT, RIGHT);
    const { devices, edges, canaries, edgeCount } = await graph();
    assert.deepEqual([devices.length, edges.length, edgeCount, canaries[0]?.outcome], [3, 3, 3, Outcome.AGREED]);
    assert.ok(devices.every(({ agreed, disagreed, trust }) => agreed === 2n && disagreed === 0n && trust === 0.75));
    const json = (await (await fetch(`http://${engine.http}/api/v1/trust?limit=1`)).json()) as Record<
      string,
      unknown[]
    >;
    assert.deepEqual([json['devices']?.length, json['edges']?.length], [1, 1]);
  });

  it('who is outvoted is the least trusted, in metrics and in the log too', async () => {
    await round(RIGHT, 5, RIGHT);
    const [worst] = (await graph()).devices;
    assert.deepEqual([worst?.gpu, worst?.disagreed], [agents[1]?.device, 2n]);
    assert.equal(await engine.metric('sentinel_tmr_dissent_total'), 1);
    assert.equal(await engine.metric('sentinel_tmr_canaries_total{outcome="dissent"}'), 1);
    assert.ok(
      engine.lines.some(({ message }) => message === 'canary: a device computed something else than two others'),
    );
    const own = await graph({ gpu: agents[0]?.device ?? '' });
    assert.deepEqual([own.edges.length, own.devices.length], [2, 3]);
    const [row] = await engine.sql<{ kind: number; counted: boolean }>(
      'select kind, counted from observations where device_id = $1',
      [agents[1]?.device],
    );
    assert.deepEqual(row, { kind: RunKind.CANARY, counted: true });
  });

  it('snapshots are kept and can be asked for by time', async () => {
    await assert.rejects(graph({ atUs: 1n }), (error) => SentinelError.from(error).code === 'NOT_FOUND');
    shiftUs = 11_000_000n;
    agents[0]?.sendAll(agents[0].batch([{}]));
    // Until there is one there is no answer; where the rounds took long, the first does not show both.
    const then = await eventually(
      async () => {
        const kept = await graph({ atUs: clock.nowUs() });
        return kept.canaries.length >= 2 && kept;
      },
      { what: 'a snapshot is kept' },
    );
    const now = await graph();
    assert.ok(then.atUs > 0n && then.atUs <= now.atUs);
    assert.ok(then.edges.length === 3 && then.canaries.length >= 2);
  });
});
