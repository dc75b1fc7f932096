import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  type CanaryOutcome,
  canaryOutcome_OutcomeToJSON,
  CanaryOutcome_Outcome as Outcome,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { EngineClient } from '../harness/engine-client.js';
import { scrape } from '../harness/metrics.js';
import { type Overlay, Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

/** Three agents of this one machine: the cores of each device are its own as far as the machine has so many. */
const ONE_CORE: Overlay = { cpu: { devices: ['1'] } };
const OFTEN: Overlay = {
  // An honest agent that stands still for a few seconds is not the silent one.
  tmr: { interval_seconds: 1, timeout_ms: 10_000 },
  gates: { dwell_seconds: 1, cohort_min_gpus: 2, cohort_min_nodes: 2 },
};
const FAULT = 'core=1,family=fma32,rate=1';

/** The newest canary of this outcome that is not older than `sinceUs`. */
function canary(engine: EngineClient, outcome: Outcome, sinceUs = 0n): Promise<CanaryOutcome> {
  return until(
    `a canary with outcome ${canaryOutcome_OutcomeToJSON(outcome)}`,
    90_000,
    async () => (await engine.trust()).canaries.find((entry) => entry.outcome === outcome && entry.openedUs >= sinceUs),
    200,
  );
}

test('three agents execute a canary: all agree, one is outvoted and taken out, one is silent', {
  timeout: 400_000,
}, async () => {
  await using stack = await Stack.start({ engine: OFTEN });
  const engine = new EngineClient(stack);
  try {
    const honest = [stack.agent({ node: 'a' }), stack.agent({ node: 'b' })];
    const faulty = stack.agent({ node: 'c', inject: FAULT, overlay: ONE_CORE });
    await Promise.all([...honest, faulty].map((agent) => agent.start()));
    const bad = (await engine.deviceOf('c')).gpu;

    const dissent = await canary(engine, Outcome.DISSENT);
    assert.deepEqual([dissent.dissenters, dissent.silent, dissent.gpus.length], [[bad], [], 3]);
    await engine.state(bad, [GpuState.QUARANTINED], 90_000);
    const { observations, gates } = await engine.explain(bad);
    const outvoted = observations.filter(({ kind, counted }) => kind === RunKind.CANARY && counted);
    assert.ok(outvoted.length >= 2 && outvoted.every(({ injected }) => injected), 'two votes against it');
    assert.match(gates.find(({ name }) => name === 'locality')?.reason ?? '', /computed the same for one seed/);
    const graph = await engine.trust();
    assert.equal(graph.devices[0]?.gpu, bad);
    assert.ok((graph.devices[0]?.disagreed ?? 0n) >= 2n);
    const samples = await scrape(stack.address.engine.metrics);
    const dissents = samples.find(({ name }) => name === 'sentinel_tmr_dissent_total');
    assert.ok((dissents?.value ?? 0) >= 2);

    const third = stack.agent({ node: 'd' });
    await third.start();
    const quiet = (await engine.deviceOf('d')).gpu;
    const agreed = await canary(engine, Outcome.AGREED, graph.atUs);
    assert.ok(agreed.gpus.includes(quiet) && agreed.dissenters.length === 0);
    third.signal('SIGSTOP');
    const missed = await canary(engine, Outcome.TIMEOUT, agreed.closedUs);
    third.signal('SIGCONT');
    assert.deepEqual([missed.silent, missed.dissenters], [[quiet], []]);
    assert.equal((await engine.deviceOf('d')).state, GpuState.HEALTHY, 'silence accuses nobody');
  } finally {
    engine.close();
  }
});

test('where no two of three agents agree nobody is accused', { timeout: 400_000 }, async () => {
  // Both faulty agents are busy with their bursts, so answers may take a while.
  const tmr = { interval_seconds: 1, timeout_ms: 20_000 };
  await using stack = await Stack.start({ engine: { ...OFTEN, tmr, mode: 'observe' } });
  const engine = new EngineClient(stack);
  try {
    // Faults of their own: two devices that are wrong alike are a majority, and rightly outvote an honest one.
    const faults = { b: `${FAULT},seed=1`, c: `${FAULT},seed=2` };
    const faulty = Object.entries(faults).map(([node, inject]) => stack.agent({ node, inject, overlay: ONE_CORE }));
    await Promise.all([stack.agent({ node: 'a' }), ...faulty].map((agent) => agent.start()));
    const { dissenters, gpus, silent } = await canary(engine, Outcome.NO_MAJORITY);
    assert.deepEqual([dissenters, silent, gpus.length], [[], [], 3]);
    const honest = await engine.deviceOf('a');
    assert.deepEqual([honest.state, honest.failures], [GpuState.HEALTHY, 0n]);
  } finally {
    engine.close();
  }
});
