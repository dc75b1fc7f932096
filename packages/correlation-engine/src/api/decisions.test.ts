import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CorrelationServiceClient,
  type ExplainDecisionResponse,
  GateOutcome_Verdict,
  type GpuHealth,
} from '@sentinel/contracts/sentinel/v1/health.js';
import {
  IssueDirectiveRequest_Action as Action,
  type IssueDirectiveRequest,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';

/** Several nodes of this small fleet fail within seconds: the gates that hold for that reason are opened wide. */
const GATES = {
  dwell_small_seconds: 0,
  small_fleet_nodes: 100,
  deep_test_seconds: 0,
  breadth_nodes: 100,
  rate_limit: { hour_min: 100, day_min: 100 },
};

describe('decisions, asked over gRPC and HTTP', () => {
  const engine = new TestEngine({ gates: GATES });
  let queries: CorrelationServiceClient;
  before(async () => {
    await engine.start();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
  });
  after(async () => {
    queries.close();
    await engine.remove();
  });

  const health = async (gpu: string): Promise<GpuHealth> => {
    const answer = await callUnary(queries, queries.queryGpuHealth, { gpu });
    assert.ok(answer.health);
    return answer.health;
  };
  const explain = (gpu: string): Promise<ExplainDecisionResponse> =>
    callUnary(queries, queries.explainDecision, { gpu });
  const becomes = async (gpu: string, state: GpuState): Promise<void> => {
    await eventually(async () => (await health(gpu)).state === state, { what: `${gpu} is ${state}` });
  };
  const order = async (request: Partial<IssueDirectiveRequest>, token = OPERATOR_TOKEN): Promise<string> => {
    const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token });
    try {
      const base = {
        directiveId: 'd',
        gpu: '',
        action: Action.QUARANTINE,
        reason: 'a test',
        requiresApproval: false,
        evidence: [],
      };
      const { transition } = await callUnary(client, client.issueDirective, { ...base, ...request });
      return transition === undefined ? 'OK' : `${transition.from}>${transition.to} ${transition.actor}`;
    } catch (error) {
      return `${SentinelError.from(error).code} ${SentinelError.from(error).reason}`;
    } finally {
      client.close();
    }
  };
  /** One clean run, then one mismatch by the schedule: SUSPECT, and a burst. */
  const suspected = async (node: string): Promise<{ agent: TestAgent; burst: string }> => {
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
    agent.sendAll(1n);
    await agent.committed(1n);
    await agent.until(() => agent.messages.some((message) => message.$case === 'directive'));
    const directive = agent.messages.find((message) => message.$case === 'directive');
    assert.ok(directive?.$case === 'directive' && directive.value.work?.$case === 'burst');
    assert.equal(directive.value.work.value.sm, 1);
    return { agent, burst: directive.value.id };
  };
  const confirm = async (agent: TestAgent, burst: string): Promise<void> => {
    agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive: burst, fails: [{ sm: 1 }] }]));
    await agent.committed(BigInt(agent.payloads.length));
  };

  it('quarantines after a mismatch that a burst confirms, and explains it', async () => {
    const { agent, burst } = await suspected('enforced');
    await confirm(agent, burst);
    await becomes(agent.device, GpuState.QUARANTINED);
    const answer = await explain(agent.device);
    assert.deepEqual([answer.hardObservations, answer.answers], [2, 1]);
    assert.equal(answer.observations.length, 2);
    assert.equal(answer.observations[0]?.sequence, 2n);
    assert.equal(answer.transitions[0]?.to, GpuState.QUARANTINED);
    assert.equal(answer.gates.length, 7);
    assert.ok(answer.gates.every((gate) => gate.verdict !== GateOutcome_Verdict.HOLD));
    const { executions, failures } = await health(agent.device);
    assert.deepEqual([executions, failures], [9n, 2n]);
    agent.close();
  });

  it('holds by a gate that a reload closes, and goes on once it opens', async () => {
    const { agent, burst } = await suspected('gated');
    engine.reload({ gates: { ...GATES, rate_limit: { hour_min: 0, hour_fraction: 0 } } });
    await confirm(agent, burst);
    await sleep(100);
    assert.equal((await health(agent.device)).state, GpuState.SUSPECT);
    const gate = (await explain(agent.device)).gates.find(({ name }) => name === 'rate-limit');
    assert.equal(gate?.verdict, GateOutcome_Verdict.HOLD);
    engine.reload({ gates: GATES });
    await becomes(agent.device, GpuState.QUARANTINED);
    agent.close();
  });

  it('only shows what it would do in observe mode', async () => {
    engine.reload({ mode: 'observe' });
    const { agent, burst } = await suspected('observed');
    await confirm(agent, burst);
    const seen = await eventually(
      async () => {
        const shown = await health(agent.device);
        return shown.wouldBe === GpuState.QUARANTINED && shown;
      },
      { what: 'it shows what it would do' },
    );
    assert.equal(seen.state, GpuState.SUSPECT);
    engine.reload({ mode: 'enforce' });
    agent.close();
  });

  it('repeats unfinished directives after each hello', async () => {
    const { agent, burst } = await suspected('reconnects');
    agent.messages.length = 0;
    await agent.connect();
    await agent.until(() =>
      agent.messages.some((message) => message.$case === 'directive' && message.value.id === burst),
    );
    agent.close();
  });

  it('keeps state, gates and explanation over a restart', async () => {
    const before = await explain('CPU-enforced');
    await engine.stop();
    await engine.start();
    queries.close();
    queries = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    const after = await explain('CPU-enforced');
    assert.deepEqual(after.transitions, before.transitions);
    assert.deepEqual(after.observations, before.observations);
    assert.equal(after.health?.state, before.health?.state);
    assert.deepEqual(
      [after.health?.executions, after.health?.failures],
      [before.health?.executions, before.health?.failures],
    );
  });

  it('carries out orders of operators, each once', async () => {
    const gpu = 'CPU-enforced';
    assert.equal(
      await order({ directiveId: 'r1', gpu, action: Action.REINSTATE }, ''),
      'UNAUTHENTICATED CREDENTIALS_MISSING',
    );
    assert.equal(
      await order({ directiveId: 'r1', gpu, action: Action.REINSTATE }, 'wrong'),
      'UNAUTHENTICATED CREDENTIALS_INVALID',
    );
    const done = `${GpuState.QUARANTINED}>${GpuState.HEALTHY} operator token`;
    assert.equal(await order({ directiveId: 'r1', gpu: 'CPU-enf', action: Action.REINSTATE }), done);
    assert.equal(await order({ directiveId: 'r1', gpu, action: Action.REINSTATE }), done);
    assert.equal(await order({ directiveId: 'r1', gpu, action: Action.QUARANTINE }), 'ALREADY_EXISTS CONFLICT');
    assert.equal(
      await order({ directiveId: 'r2', gpu, action: Action.CONDEMN }),
      'FAILED_PRECONDITION ILLEGAL_TRANSITION',
    );
    assert.equal(await order({ directiveId: 'r3', gpu: 'GPU-none' }), 'NOT_FOUND NOT_FOUND');
    assert.equal(await order({ directiveId: '', gpu }), 'INVALID_ARGUMENT INVALID_FIELD');
    assert.equal((await health(gpu)).state, GpuState.HEALTHY);
    const both = await Promise.all([order({ directiveId: 'r4', gpu }), order({ directiveId: 'r4', gpu })]);
    assert.equal(new Set(both).size, 1);
    assert.equal((await engine.sql('select * from orders')).length, 2);
  });

  it('pages fleet and history', async () => {
    const fleet = await callUnary(queries, queries.queryFleetHealth, {
      nodePrefix: '',
      model: '',
      state: GpuState.UNSPECIFIED,
      limit: 2,
      pageToken: '',
    });
    assert.equal(fleet.gpus.length, 2);
    assert.equal(fleet.summary?.gpus, 4);
    assert.ok(fleet.nextPageToken !== '');
    const agent = new TestAgent(engine.grpc, { node: 'paged' });
    await agent.connect();
    for (let i = 0; i < 20; i += 1) agent.sendAll(agent.batch([{ index: 2 * i }, { index: 2 * i + 1 }]));
    await agent.archived(20n);
    const found: number[] = [];
    let pageToken = '';
    do {
      const page = await callUnary(queries, queries.getGpuHistory, {
        gpu: agent.device,
        startUs: 0n,
        endUs: 0n,
        limit: 7,
        pageToken,
      });
      found.push(...page.runs.map((run) => run.index));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    assert.deepEqual(
      found,
      Array.from({ length: 40 }, (_, i) => 39 - i),
    );
    agent.close();
  });

  const web = async (path: string, init: RequestInit = {}): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`http://${engine.http}${path}`, init);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };

  it('answers the same over HTTP', async () => {
    const [well, health] = await web('/health');
    assert.equal(well, 200);
    assert.equal(health.status, 'degraded');
    assert.match(String(health.reasons), /^decisions go on, the audit ledger takes no entries, and they wait: /);
    assert.equal(typeof health.version, 'string');
    assert.equal(typeof health.uptime_seconds, 'number');
    assert.deepEqual(Object.keys(health.stores as object), ['state', 'history', 'ledger', 'bus']);
    assert.equal(typeof health.active_agents, 'number');
    const [, fleet] = await web('/api/v1/fleet?state=quarantined');
    assert.deepEqual(
      (fleet.gpus as { gpu: string }[]).map(({ gpu }) => gpu),
      ['CPU-enforced', 'CPU-gated', 'CPU-observed'],
    );
    assert.equal((await web('/api/v1/gpu/CPU-gated'))[0], 200);
    assert.equal(((await web('/api/v1/gpu/CPU-paged/history?limit=3'))[1].runs as unknown[]).length, 3);
    const [status, body] = await web('/api/v1/gpu/none');
    assert.deepEqual([status, (body.error as { reason: string }).reason], [404, 'NOT_FOUND']);
    assert.equal((await web('/api/v1/nothing'))[0], 404);
  });

  it('takes an order over HTTP with the token alone, and from no strange page', async () => {
    const body = JSON.stringify({ directiveId: 'h1', gpu: 'CPU-gated', action: 'ACTION_REINSTATE', reason: 'a test' });
    const json = { 'content-type': 'application/json' };
    const bearer = { authorization: `Bearer ${OPERATOR_TOKEN}` };
    const post = (headers: Record<string, string>) => web('/api/v1/quarantine', { method: 'POST', body, headers });
    assert.equal((await post(json))[0], 401);
    assert.equal((await post({ ...json, ...bearer, origin: 'http://evil.example' }))[0], 403);
    assert.equal((await post({ ...bearer, 'content-type': 'text/plain' }))[0], 400);
    const [status, answer] = await post({ ...json, ...bearer });
    assert.deepEqual([status, (answer['transition'] as { to: string }).to], [200, 'GPU_STATE_HEALTHY']);
  });
});
