import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { ExplainDecisionResponse, GateOutcome_Verdict as Verdict } from '@sentinel/contracts/sentinel/v1/health.js';
import { runProgram, sentinel, sentinelJson } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { auditTrail, detailOf } from '../harness/ledger-client.js';
import { mismatchLines } from '../harness/mismatches.js';
import { INTEROP } from '../harness/paths.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const QUARANTINE_GOAL_US = 60_000_000;
const REINSTATEMENT_EXECUTIONS = 1000n;
/** The engine tells the ledger after it has decided. */
const TOLD_MS = 60_000;

for (const tls of [false, true]) {
  test(`an injected fault ends in quarantine, and clean executions end the quarantine (${tls ? 'mTLS' : 'plaintext'})`, {
    timeout: 500_000,
  }, async (context) => {
    await using stack = await Stack.start({ tls });
    const engine = new EngineClient(stack);
    try {
      const honest = stack.agent({ node: 'honest' });
      const faulty = stack.agent({ node: 'faulty', inject: 'core=1,family=fma32,rate=0.01' });
      await Promise.all([honest.start(), faulty.start()]);
      const { gpu } = await engine.deviceOf('faulty');

      const first = await faulty.line(
        'the first injected wrong result',
        60_000,
        ({ msg }) => msg === 'first injected wrong result',
      );
      await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 70_000);
      const explained = await explain(stack, gpu);
      const seconds = assertPath(explained, Number(first.atUs)) / 1e6;
      context.diagnostic(`quarantined ${seconds.toFixed(1)} s after the first wrong result`);
      await toldOf(stack, explained);
      await assertMarked(stack, gpu);
      await assertRecomputable(explained);
      await assertInLedger(stack, explained);
      await faulty.stop();

      // The product's own agent, same node and data: still quarantined and marked, then tested clean.
      const production = stack.agent({ node: 'faulty' });
      await production.start();
      const after = await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 60_000);
      assert.equal(after.injected, true);
      await engine.state(gpu, [GpuState.HEALTHY], 180_000);
      const healthy = await explain(stack, gpu);
      const states = healthy.transitions.toSorted((a, b) => Number(a.commitSeq - b.commitSeq)).map(({ to }) => to);
      assert.deepEqual(states, [GpuState.SUSPECT, GpuState.QUARANTINED, GpuState.DEEP_TEST, GpuState.HEALTHY]);
      const deepTest = healthy.health?.directives.find(({ kind }) => kind === 'deep-test');
      assert.ok(deepTest?.finished && deepTest.done >= REINSTATEMENT_EXECUTIONS, JSON.stringify(deepTest, bigints));

      // Nobody was accused without a fault.
      const bystanding = (await engine.deviceOf('honest')).gpu;
      const bystander = await explain(stack, bystanding);
      assert.deepEqual([bystander.health?.state, bystander.health?.injected], [GpuState.HEALTHY, false]);
      assert.deepEqual([bystander.transitions, bystander.observations], [[], []]);
      assert.ok((bystander.health?.executions ?? 0n) > 0n);
      await assertSensors(stack, bystanding);
    } finally {
      engine.close();
    }
  });
}

async function explain(stack: Stack, gpu: string): Promise<ExplainDecisionResponse> {
  return ExplainDecisionResponse.fromJSON(await sentinelJson(stack, 'gpus', 'explain', gpu));
}

/** @returns microseconds from the first injected wrong result to the committed quarantine */
function assertPath(explained: ExplainDecisionResponse, firstWrongUs: number): number {
  const transitions = explained.transitions.toSorted((a, b) => Number(a.commitSeq - b.commitSeq));
  assert.deepEqual(
    transitions.slice(0, 2).map(({ to }) => to),
    [GpuState.SUSPECT, GpuState.QUARANTINED],
  );
  const took = Number(transitions[1]?.timeUs) - firstWrongUs;
  assert.ok(took > 0 && took <= QUARANTINE_GOAL_US, `quarantined ${took} us after the first wrong result`);
  const verdicts = explained.gates.toSorted((a, b) => a.number - b.number).map(({ verdict }) => verdict);
  const { PASS, NOT_EVALUABLE } = Verdict;
  assert.deepEqual(verdicts, [PASS, PASS, PASS, PASS, NOT_EVALUABLE, NOT_EVALUABLE, PASS]);
  assert.ok(explained.hardObservations >= 2 && explained.answers >= 1);
  assert.ok(explained.health?.injected);
  for (const marked of [...explained.transitions, ...explained.observations]) assert.equal(marked.injected, true);
  return took;
}

/** Waits until each transition is in the ledger. */
async function toldOf(stack: Stack, { health, transitions }: ExplainDecisionResponse): Promise<void> {
  await until('each transition is in the ledger', TOLD_MS, async () => {
    const ids = (await auditTrail(stack, health?.gpu)).map(({ eventId }) => Buffer.from(eventId).toString('hex'));
    return transitions.every(({ eventId }) => ids.includes(Buffer.from(eventId).toString('hex')));
  });
}

/** Whatever an operator looks at says that it is a test. */
async function assertMarked(stack: Stack, gpu: string): Promise<void> {
  for (const command of [
    ['gpus', 'list'],
    ['gpus', 'explain', gpu],
    ['audit', 'query', '--gpu', gpu],
  ]) {
    const { code, stdout, stderr } = await sentinel(stack, ...command);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /INJECTED/, command.join(' '));
  }
}

/** What a machine offers differs; what it does not offer is said. */
async function assertSensors(stack: Stack, gpu: string): Promise<void> {
  const { code, stdout } = await sentinel(stack, 'gpus', 'show', gpu);
  assert.equal(code, 0);
  assert.match(stdout, /\nSensors, read \d+[sm] ago\n {2}\w/);
  const history = await sentinel(stack, 'gpus', 'history', gpu, '--limit', '1000');
  assert.match(history.stdout, /\nTelemetry\n {2}\S+ \S+ {2}all \d+ fields?/);
}

/** An independent program agrees with every operand, expected value and differing bit. */
async function assertRecomputable(explained: ExplainDecisionResponse): Promise<void> {
  assert.ok(explained.observations.length > 0);
  const script = join(INTEROP, 'recompute_mismatch.py');
  const { code, stdout, stderr } = await runProgram('python3', [script], {}, mismatchLines(explained.observations));
  assert.equal(code, 0, stdout + stderr);
}

/** Each transition is in the ledger once, marked, and the ledger verifies. */
async function assertInLedger(stack: Stack, explained: ExplainDecisionResponse): Promise<void> {
  const verify = await sentinel(stack, 'audit', 'verify');
  assert.equal(verify.code, 0, verify.stdout + verify.stderr);
  await assertForeignVerifierAgrees(stack);
  const entries = await auditTrail(stack, explained.health?.gpu);
  for (const { eventId } of explained.transitions) {
    const found = entries.filter((entry) => Buffer.from(entry.eventId).equals(Buffer.from(eventId)));
    assert.equal(found.length, 1);
  }
  const decisions = entries.filter(({ type }) => type === AuditType.DECISION);
  assert.ok(decisions.length >= 2);
  for (const entry of entries) assert.equal(entry.injected, true, JSON.stringify(detailOf(entry)));
}

/** A program that shares no code with the ledger recomputes its root from what it publishes. */
async function assertForeignVerifierAgrees(stack: Stack): Promise<void> {
  const ca = stack.certificates?.files('operator').caFile;
  const base = `${ca === undefined ? 'http' : 'https'}://${stack.address.ledger.http}`;
  const script = join(INTEROP, 'verify_ledger.py');
  const { code, stdout, stderr } = await runProgram(
    'python3',
    [script, base],
    ca === undefined ? {} : { SSL_CERT_FILE: ca },
  );
  assert.equal(code, 0, stdout + stderr);
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
