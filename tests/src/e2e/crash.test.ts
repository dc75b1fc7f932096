import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { allUp, killAtRandom, settleAndReconcile } from '../chaos/crash.js';
import { EarlyAckProxy } from '../chaos/early-ack-proxy.js';
import type { Finding } from '../check/reconcile.js';
import { journalOf, readJournal } from '../harness/ack-journal.js';
import { sentinel } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { EngineSql } from '../harness/engine-sql.js';
import { auditTrail } from '../harness/ledger-client.js';
import { Random } from '../harness/random.js';
import { BUSY_AGENT, Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const KILLS = 50;
const SEED = 20_261_124;
/** Of the mutant's engine, each while something is held, which is lost unless the agent had not heard of it yet. */
const MUTANT_KILLS = 4;
const UNDISTURBED_MS = 4_000;
const NODE = 'crash';
const INJECT = 'core=1,family=fma32,rate=0.01';

for (const tls of [false, true]) {
  test(`${KILLS} kills under injection lose nothing, count nothing twice and change no decision (${tls ? 'mTLS' : 'plaintext'})`, {
    timeout: 300_000,
  }, async (context) => {
    await using stack = await Stack.start({ tls, agent: BUSY_AGENT });
    const agent = stack.agent({ node: NODE, inject: INJECT });
    await agent.start();
    const random = new Random(SEED + Number(tls));
    const killed = await killAtRandom(stack, agent, { kills: KILLS, random, leastPauseMs: 100, mostPauseMs: 1_500 });
    await allUp(stack, agent);

    const engine = new EngineClient(stack);
    const { gpu } = await engine.deviceOf(NODE);
    await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 60_000);
    engine.close();

    const verdict = await settleAndReconcile(stack, agent, journalOf(stack, NODE));
    context.diagnostic(
      `kills ${JSON.stringify(killed)}, ${verdict.runs} runs acknowledged, ${verdict.failures} of them failing`,
    );
    assert.deepEqual([verdict.lost, verdict.doubled], [[], []]);
    assert.ok(verdict.runs > 0 && verdict.failures > 0);
    await assertLedgerComplete(stack, gpu);
  });
}

test('an engine that acknowledges before it commits is caught', { timeout: 300_000 }, async (context) => {
  await using stack = await Stack.start({ agent: BUSY_AGENT });
  using proxy = await EarlyAckProxy.start(stack.address.engine.grpc);
  const agent = stack.agent({ node: NODE, inject: INJECT, engine: proxy.address });
  const losses = async (): Promise<readonly Finding[]> => {
    const passedOn = () => until('the mutant has passed on what it held', 40_000, () => proxy.idle);
    const { runs, lost } = await settleAndReconcile(stack, agent, journalOf(stack, NODE), passedOn);
    assert.ok(runs > 0);
    return lost;
  };

  await agent.start();
  await until('something is acknowledged', 60_000, () => readJournal(journalOf(stack, NODE)).length > 0);
  await delay(UNDISTURBED_MS);
  assert.deepEqual(await losses(), [], 'undisturbed, even the mutant loses nothing');

  // Between the look and the kill nothing is passed on.
  const killedHolding = async (): Promise<boolean> => {
    if (proxy.held === 0) return false;
    await stack.engine.kill();
    return true;
  };
  let lost: readonly Finding[] = [];
  for (let kills = 0; kills < MUTANT_KILLS && lost.length === 0; kills += 1) {
    await agent.start();
    await until('records held by the mutant', 60_000, killedHolding);
    await stack.engine.start();
    lost = await losses();
  }
  context.diagnostic(`the checker found ${lost.length} losses, the first: ${lost[0]?.where}, ${lost[0]?.what}`);
  assert.ok(lost.length > 0);
});

/** The ledger verifies and holds each committed transition exactly once. */
async function assertLedgerComplete(stack: Stack, gpu: string): Promise<void> {
  await using sql = await EngineSql.open(stack);
  await until('the outbox is empty', 60_000, async () => (await sql.outboxPending()) === 0);
  const verify = await sentinel(stack, 'audit', 'verify');
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
  const transitions = await sql.transitions(gpu);
  assert.ok(transitions.length >= 2);
  const entries = await auditTrail(stack, gpu);
  const ids = entries.map(({ eventId }) => Buffer.from(eventId).toString('hex'));
  assert.equal(new Set(ids).size, ids.length, 'an event is in the ledger twice');
  for (const { eventId } of transitions) assert.ok(ids.includes(eventId), `transition ${eventId} is not in the ledger`);
}
