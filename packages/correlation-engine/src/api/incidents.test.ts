import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { CorrelationServiceClient } from '@sentinel/contracts/sentinel/v1/health.js';
import { Incident_State } from '@sentinel/contracts/sentinel/v1/incidents.js';
import {
  QuarantineServiceClient,
  ResolveIncidentRequest_Resolution as Resolution,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';

const GATES = {
  dwell_seconds: 0,
  dwell_small_seconds: 0,
  deep_test_seconds: 0,
  rate_limit: { hour_min: 100, day_min: 100 },
};
const NODES = ['a', 'b', 'c'];

describe('incidents', () => {
  /** Beyond what it takes until three failed, on a machine that stands still now and then; the clock passes it. */
  const engine = new TestEngine({ gates: { ...GATES, dwell_seconds: 50 } });
  let passedUs = 0n;
  const clock = { ...systemClock, nowUs: () => systemClock.nowUs() + passedUs };
  before(() => engine.start({ clock }));
  after(() => engine.remove());

  const incidents = async () => {
    const client = createClient(CorrelationServiceClient, { address: engine.grpc, tls: null, token: '' });
    try {
      return (await callUnary(client, client.listIncidents, { active: false })).incidents;
    } finally {
      client.close();
    }
  };
  const states = async () => {
    const answer = (await (await fetch(`http://${engine.http}/api/v1/fleet`)).json()) as { gpus: { state: string }[] };
    return answer.gpus.map(({ state }) => state);
  };
  const resolve = async (incident: string, resolution: Resolution, token = OPERATOR_TOKEN) => {
    const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token });
    try {
      return await callUnary(client, client.resolveIncident, { incident, resolution, reason: 'a test' });
    } finally {
      client.close();
    }
  };

  it('three nodes that fail at once are one incident that holds all of them, also after a restart', async () => {
    const agents = NODES.map((node) => new TestAgent(engine.grpc, { node }));
    for (const agent of agents) await agent.connect();
    for (const agent of agents) {
      agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
      agent.sendAll(1n);
      const bursts = (): string[] =>
        agent.messages.flatMap((message) =>
          message.$case === 'directive' && message.value.work?.$case === 'burst' ? message.value.id : [],
        );
      await agent.until(() => bursts().length > 0);
      const [id = ''] = bursts();
      agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive: id, fails: [{ sm: 1 }] }]));
      await agent.committed(BigInt(agent.payloads.length));
      agent.close();
    }
    passedUs = 51_000_000n;
    // The next record has the engine look at the clock, and what time alone changes follows within 200 ms.
    const again = new TestAgent(engine.grpc, { node: 'a', clock: () => Number(clock.nowUs() / 1000n) });
    await again.connect();
    again.close();
    await eventually(async () => (await incidents()).length > 0, { what: 'an incident is opened' });
    await sleep(500);
    const [incident, ...more] = await incidents();
    assert.equal(more.length, 0);
    assert.deepEqual(
      [incident?.pattern, incident?.state, incident?.nodes, incident?.gpusHeld],
      ['PROBE_OR_SOFTWARE', Incident_State.OPEN, NODES, 3],
    );
    assert.deepEqual(await states(), Array(3).fill('GPU_STATE_SUSPECT'));
    const opened = await engine.sql(`select 1 from outbox where detail like '%breadth_incident_opened%'`);
    assert.equal(opened.length, 1, 'one event, one page');
    await engine.stop();
    await engine.start({ clock });
    assert.deepEqual(await incidents(), [incident]);
  });

  it('an operator releases it, with a reason, and the devices are judged', async () => {
    const [incident] = await incidents();
    const id = incident?.id ?? '';
    const refused = await resolve(id, Resolution.RELEASE, '').catch(SentinelError.from);
    assert.equal((refused as SentinelError).code, 'UNAUTHENTICATED');
    const unclear = await resolve(id, Resolution.UNSPECIFIED).catch(SentinelError.from);
    assert.equal((unclear as SentinelError).code, 'INVALID_ARGUMENT');
    const released = await resolve(id, Resolution.RELEASE);
    assert.deepEqual([released.incident?.state, released.incident?.actor], [Incident_State.RELEASED, 'operator token']);
    assert.deepEqual(await states(), Array(3).fill('GPU_STATE_QUARANTINED'));
    assert.equal(
      (await resolve(id, Resolution.RELEASE)).incident?.state,
      Incident_State.RELEASED,
      'again changes nothing',
    );
    const late = await resolve(id, Resolution.CONFIRM).catch(SentinelError.from);
    assert.equal((late as SentinelError).code, 'FAILED_PRECONDITION');
    const records = await engine.sql(`select 1 from records where kind = 'incident-order'`);
    assert.equal(records.length >= 1, true);
    assert.ok(GpuState.QUARANTINED);
  });
});
