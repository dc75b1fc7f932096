import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { GateOutcome_Verdict as Verdict } from '@sentinel/contracts/sentinel/v1/health.js';
import { ProbeBatch_RunFlag as RunFlag } from '@sentinel/contracts/sentinel/v1/probe.js';
import { batchOf, device } from '../harness/batches.js';
import { EngineClient } from '../harness/engine-client.js';
import { ScriptedAgent } from '../harness/scripted-agent.js';
import { type Overlay, Stack } from '../harness/stack.js';

const NODE = 'gates-node';
const DWELL_SECONDS = 1;
const OPEN: Overlay = { cohort_selftest_fraction: 0.5, dwell_small_seconds: DWELL_SECONDS, burst_executions: 10 };
/** One input each, that holds gate 3, 4 or 7. */
const HOLD_COHORT: Overlay = { cohort_selftest_fraction: 1 };
const HOLD_DWELL: Overlay = { dwell_small_seconds: 3600 };
const HOLD_RATE: Overlay = { rate_limit: { hour_min: 0, hour_fraction: 0 } };

for (const tls of [false, true]) {
  test(`each gate is flipped by one input of the running system (${tls ? 'mTLS' : 'plaintext'})`, {
    timeout: 240_000,
  }, async () => {
    await using stack = await Stack.start({ tls, engine: { gates: { ...OPEN, ...HOLD_DWELL } } });
    const engine = new EngineClient(stack);
    // Four SMs, half of them passed the known answers: just enough for gate 3.
    const target = device('CPU-gates', 4, 2);
    const agent = new ScriptedAgent({
      connection: stack.connection('engine', 'probe-agent'),
      node: NODE,
      fleetKey: stack.secrets.fleetKey,
      devices: [target],
    });
    try {
      await agent.hello();
      const mismatch = { sm: 1 };

      await agent.send(batchOf(target, [{ mismatch }]));
      // A second alone may be over before anybody looks.
      await engine.gate(target.id, 'dwell', Verdict.HOLD);
      await stack.reconfigureEngine({ gates: OPEN });
      for (const name of ['integrity', 'locality', 'cohort', 'dwell', 'rate-limit'])
        await engine.gate(target.id, name, Verdict.PASS);
      const breadth = await engine.gate(target.id, 'breadth', Verdict.NOT_EVALUABLE);
      assert.match(breadth.reason, /1 of the 3 nodes/);
      const node = await engine.gate(target.id, 'node', Verdict.NOT_EVALUABLE);
      assert.match(node.reason, /one device/);

      await agent.send(batchOf(target, [{ mismatch, flags: RunFlag.GOLDEN_AGREED }]));
      const integrity = await engine.gate(target.id, 'integrity', Verdict.HOLD);
      assert.equal(integrity.inputs.golden_buffers, 'changed');
      await agent.send(batchOf(target, [{ mismatch: { ...mismatch, siblingsPassed: 0, siblingsSameDigest: 3 } }]));
      const locality = await engine.gate(target.id, 'locality', Verdict.HOLD);
      assert.match(locality.reason, /software/);
      const held = (await engine.explain(target.id)).observations
        .filter(({ counted }) => !counted)
        .map(({ heldBy }) => heldBy);
      assert.deepEqual(held.toSorted(), ['integrity', 'locality']);
      await agent.send(batchOf(target, [{ mismatch }]));
      for (const name of ['integrity', 'locality']) await engine.gate(target.id, name, Verdict.PASS);

      await stack.reconfigureEngine({ gates: { ...OPEN, ...HOLD_COHORT } });
      await engine.gate(target.id, 'cohort', Verdict.HOLD);
      await stack.reconfigureEngine({ gates: { ...OPEN, ...HOLD_COHORT, ...HOLD_DWELL } });
      await engine.gate(target.id, 'dwell', Verdict.HOLD);
      await stack.reconfigureEngine({ gates: { ...OPEN, ...HOLD_COHORT, ...HOLD_DWELL, ...HOLD_RATE } });
      await engine.gate(target.id, 'rate-limit', Verdict.HOLD);

      // The answer that decides: now only the gates hold, and each one alone is enough.
      const burst = await agent.directive('burst');
      await agent.send(batchOf(target, [{ mismatch, kind: RunKind.BURST, directiveId: burst.id, singleSm: 1 }]));
      assert.equal((await engine.deviceOf(NODE)).state, GpuState.SUSPECT);
      await stack.reconfigureEngine({ gates: { ...OPEN, ...HOLD_DWELL, ...HOLD_RATE } });
      await engine.gate(target.id, 'cohort', Verdict.PASS);
      assert.equal((await engine.deviceOf(NODE)).state, GpuState.SUSPECT);
      await stack.reconfigureEngine({ gates: { ...OPEN, ...HOLD_RATE } });
      await engine.gate(target.id, 'dwell', Verdict.PASS);
      assert.equal((await engine.deviceOf(NODE)).state, GpuState.SUSPECT);
      await stack.reconfigureEngine({ gates: OPEN });
      await engine.state(target.id, [GpuState.QUARANTINED], 30_000);
    } finally {
      agent.close();
      engine.close();
    }
  });
}
