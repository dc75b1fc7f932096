import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GpuState, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { batchOf, device } from '../harness/batches.js';
import { sentinel, sentinelJson } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { ScriptedAgent } from '../harness/scripted-agent.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const NODE = 'approvals-node';
const WHY = ['--reason', 'a test'];
/** Exit statuses: done, refused as illegal, usage, denied. */
const [OK, NO, USAGE, DENIED] = [0, 1, 2, 77];

interface Pending {
  readonly pending: readonly { directiveId: string; action: string; cause: string; proposedBy: string }[];
}

test('an operator at the command line answers what the engine asks, and no one approves an order of his own', {
  timeout: 400_000,
}, async () => {
  const gates = { dwell_small_seconds: 0, burst_executions: 10 };
  await using stack = await Stack.start({ engine: { gates, state_machine: { require_approval: true } } });
  const engine = new EngineClient(stack);
  const target = device('CPU-approvals', 4);
  const agent = new ScriptedAgent({
    connection: stack.connection('engine', 'probe-agent'),
    node: NODE,
    fleetKey: stack.secrets.fleetKey,
    devices: [target],
  });
  const waiting = () => sentinelJson<Pending>(stack, 'quarantine', 'pending');
  const code = async (...argv: string[]) => (await sentinel(stack, ...argv)).code;
  try {
    await agent.hello();
    await agent.send(batchOf(target, [{ mismatch: { sm: 1 } }]));
    const burst = await agent.directive('burst');
    const answer = { mismatch: { sm: 1 }, kind: RunKind.BURST, directiveId: burst.id, singleSm: 1 };
    await agent.send(batchOf(target, [answer]));
    const asked = await until('the question of the engine', 60_000, async () => (await waiting()).pending[0]);
    assert.deepEqual(
      [asked.action, asked.cause, asked.proposedBy],
      ['ACTION_QUARANTINE', 'CAUSE_REQUIRE_APPROVAL', ''],
    );
    assert.equal((await engine.deviceOf(NODE)).state, GpuState.SUSPECT);
    assert.equal(await code('approve', asked.directiveId), USAGE);
    const approved = await sentinel(stack, 'approve', asked.directiveId, ...WHY);
    assert.deepEqual([approved.code, approved.stderr], [OK, '']);
    assert.match(approved.stdout, /SUSPECT -> QUARANTINED by operator token: .* Approved by operator token: a test/s);
    assert.equal(await code('reject', asked.directiveId, ...WHY), NO, 'too late');
    assert.equal(await code('approve', 'never-asked', ...WHY), NO);

    const order = await sentinel(stack, 'condemn', target.id, '--requires-approval', '--id', 'mine', ...WHY);
    assert.deepEqual([order.code, /^CONDEMN waits for approval: mine$/m.test(order.stdout)], [OK, true]);
    const own = await sentinel(stack, 'approve', 'mine', ...WHY);
    assert.equal(own.code, DENIED);
    assert.match(own.stderr, /operator token proposed mine and may not approve it\. Ask another operator/);
    assert.equal((await engine.deviceOf(NODE)).state, GpuState.QUARANTINED);
    assert.equal(await code('reject', 'mine', ...WHY), OK);
    assert.equal(await code('quarantine', target.id, ...WHY), NO, 'it is quarantined already');

    const test = await sentinel(stack, 'deep-test', target.id, ...WHY);
    assert.deepEqual([test.code, /A deep test of CPU-approvals is ordered/.test(test.stdout)], [OK, true]);
    await agent.directive('deepTest');
    assert.equal(await code('condemn', target.id, ...WHY), OK);
    assert.equal((await engine.deviceOf(NODE)).state, GpuState.CONDEMNED);
    for (const verb of ['quarantine', 'reinstate', 'deep-test', 'condemn'])
      assert.equal(await code(verb, target.id, ...WHY), NO, `${verb}: CONDEMNED is final`);

    const file = join(stack.folder, 'rma.txt');
    await until('every entry in the ledger', 60_000, async () => {
      const { stdout } = await sentinel(stack, 'replacement-report', target.id, '--output-file', file);
      assert.equal(stdout, '');
      return /approval_rejected/.test(readFileSync(file, 'utf8')) ? true : undefined;
    });
    const report = readFileSync(file, 'utf8');
    for (const part of [
      /serial +CPU-approvals/,
      /QUARANTINED -> CONDEMNED/,
      /fma32 on SM 1/,
      /Entries of the audit ledger/,
    ])
      assert.match(report, part);
  } finally {
    agent.close();
    engine.close();
  }
});
