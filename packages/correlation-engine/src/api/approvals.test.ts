import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  IssueDirectiveRequest_Action as Action,
  PendingDirective_Cause as Cause,
  type PendingDirective,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';

const SETTINGS = { require_approval: true, approval_expiry_hours: 1, approve_own_proposals: false };

describe('what waits for an operator', () => {
  const engine = new TestEngine({ state_machine: SETTINGS });
  let agent: TestAgent;
  let client: QuarantineServiceClient;
  before(async () => {
    await engine.start();
    client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token: OPERATOR_TOKEN });
    agent = new TestAgent(engine.grpc, { node: 'asked' });
    await agent.connect();
  });
  after(async () => {
    client.close();
    agent.close();
    await engine.remove();
  });

  const pending = async (): Promise<PendingDirective[]> =>
    (await callUnary(client, client.listPending, { limit: 0, pageToken: '' })).pending;
  const order = (directiveId: string, action: Action, requiresApproval = true, evidence: string[] = []) => {
    const request = { directiveId, gpu: agent.device, action, reason: 'r', requiresApproval, evidence };
    return callUnary(client, client.issueDirective, request);
  };
  const approve = (directiveId: string, reason = 'seen') => callUnary(client, client.approve, { directiveId, reason });
  const reject = (directiveId: string, reason = 'seen') => callUnary(client, client.reject, { directiveId, reason });
  const refusal = async (call: Promise<unknown>): Promise<string> => {
    try {
      await call;
      return 'OK';
    } catch (error) {
      return `${SentinelError.from(error).code} ${SentinelError.from(error).reason}`;
    }
  };

  it('holds the quarantine of a device that failed twice, and carries it out once it is approved', async () => {
    agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
    agent.sendAll(1n);
    await agent.until(() => agent.messages.some(({ $case }) => $case === 'directive'));
    const directive = agent.messages.find(({ $case }) => $case === 'directive');
    const burst = directive?.$case === 'directive' ? directive.value.id : '';
    agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive: burst, fails: [{ sm: 1 }] }]));
    await agent.committed(2n);
    const waiting = await eventually(async () => (await pending())[0], { what: 'it waits for an operator' });
    assert.deepEqual(
      [waiting.gpu, waiting.action, waiting.cause, waiting.state, waiting.proposedBy],
      [agent.device, Action.QUARANTINE, Cause.REQUIRE_APPROVAL, GpuState.SUSPECT, ''],
    );
    assert.equal(waiting.expiresUs - waiting.proposedUs, 3_600_000_000n);
    assert.equal(await engine.metric('sentinel_approvals_pending'), 1);
    const id = waiting.directiveId;
    const { transition } = await approve(id);
    assert.deepEqual([transition?.to, transition?.actor], [GpuState.QUARANTINED, 'operator token']);
    assert.deepEqual((await approve(id)).transition?.eventId, transition?.eventId, 'the same again changes nothing');
    assert.equal(await refusal(approve(id, 'another reason')), 'FAILED_PRECONDITION ALREADY_DECIDED');
    assert.equal(await refusal(reject(id)), 'FAILED_PRECONDITION ALREADY_DECIDED');
    assert.equal(await refusal(approve('never')), 'NOT_FOUND NOT_FOUND');
    assert.equal(await refusal(approve(id, '')), 'INVALID_ARGUMENT INVALID_FIELD');
    assert.deepEqual(await pending(), []);
  });

  it('holds an order until a second person approves it', async () => {
    const first = await order('c1', Action.CONDEMN);
    assert.deepEqual([first.transition, first.pending?.proposedBy], [undefined, 'operator token']);
    assert.deepEqual(await order('c1', Action.CONDEMN), first, 'the same order again');
    assert.equal(await refusal(order('c1', Action.CONDEMN, false)), 'ALREADY_EXISTS CONFLICT');
    assert.equal(await refusal(order('c2', Action.CONDEMN)), 'ALREADY_EXISTS CONFLICT');
    assert.equal(await refusal(approve('c1')), 'PERMISSION_DENIED SECOND_PERSON_NEEDED');
    await reject('c1');
    await reject('c1');
    assert.equal(await refusal(order('c1', Action.CONDEMN)), 'FAILED_PRECONDITION ALREADY_DECIDED');
    assert.equal(await refusal(order('c3', Action.QUARANTINE)), 'FAILED_PRECONDITION ILLEGAL_TRANSITION');
  });

  it('keeps what waits over a restart, and the answer of an approved order', async () => {
    const evidence = ['INC-17', 'https://wiki.example/rack 3'];
    await order('c4', Action.CONDEMN, true, evidence);
    await engine.stop();
    await engine.start();
    client.close();
    client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token: OPERATOR_TOKEN });
    assert.deepEqual(
      (await pending()).map((entry) => [entry.directiveId, entry.evidence]),
      [['c4', evidence]],
    );
    engine.reload({ state_machine: { ...SETTINGS, approve_own_proposals: true } });
    const { transition } = await approve('c4');
    assert.deepEqual([transition?.to, transition?.evidence], [GpuState.CONDEMNED, evidence]);
    const again = await order('c4', Action.CONDEMN, true, evidence);
    assert.deepEqual(again.transition?.eventId, transition?.eventId);
    assert.equal(await refusal(order('c4', Action.CONDEMN)), 'ALREADY_EXISTS CONFLICT', 'without the evidence');
    const outcomes = await engine.sql<{ outcome: string }>('select outcome from proposals order by proposed_us');
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ['APPROVED', 'REJECTED', 'APPROVED'],
    );
  });

  it('answers over HTTP, to operators alone', async () => {
    const other = new TestAgent(engine.grpc, { node: 'web' });
    await other.connect();
    const web = async (path: string, body?: object, token = OPERATOR_TOKEN) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const post = { method: 'POST', headers, body: JSON.stringify(body) };
      const response = await fetch(`http://${engine.http}/api/v1/quarantine${path}`, body === undefined ? {} : post);
      return { status: response.status, json: (await response.json()) as Record<string, never> };
    };
    const wanted = { directive_id: 'w1', gpu: other.device, action: 'ACTION_QUARANTINE', reason: 'r' };
    const asked = await web('', { ...wanted, requires_approval: true });
    assert.equal((asked.json.pending as { directiveId: string } | undefined)?.directiveId, 'w1');
    const list = (await web('/pending')).json.pending as unknown as { directiveId: string; cause: string }[];
    assert.deepEqual(
      list.map(({ directiveId, cause }) => [directiveId, cause]),
      [['w1', 'CAUSE_OPERATOR']],
    );
    for (const [evidence, field] of [
      [['x'.repeat(257)], 'evidence[0]'],
      [['ok', ''], 'evidence[1]'],
      [Array.from({ length: 17 }, () => 'x'), 'evidence'],
    ] as const) {
      const { status, json } = await web('', { ...wanted, directive_id: 'w2', evidence });
      assert.deepEqual([status, JSON.stringify(json).includes(`"field":"${field}"`)], [400, true], field);
    }
    const answer = { directive_id: 'w1', reason: 'seen' };
    assert.equal((await web('/approve', answer, 'wrong')).status, 401);
    assert.equal((await web('/approve', answer)).status, 200);
    assert.equal((await web('/reject', answer)).status, 412);
    const back = { ...wanted, directive_id: 'w3', action: 'ACTION_REINSTATE', evidence: ['entry 42 of the ledger'] };
    assert.equal((await web('', back)).status, 200);
    const explained = await fetch(`http://${engine.http}/api/v1/gpu/${other.device}/explain`);
    const { transitions } = (await explained.json()) as { transitions: { evidence?: string[] }[] };
    assert.deepEqual(
      transitions.map(({ evidence = [] }) => evidence),
      [['entry 42 of the ledger'], []],
    );
    const [event] = await engine.sql<{ detail: string }>(
      `select detail from outbox where gpu = '${other.device}' and detail like '%"to":"HEALTHY"%'`,
    );
    assert.deepEqual(JSON.parse(event?.detail ?? '{}').evidence, ['entry 42 of the ledger']);
    other.close();
  });
});
