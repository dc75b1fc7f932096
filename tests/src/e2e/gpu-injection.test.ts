import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { fakeGpu } from '@sentinel/native-probes/fake-gpu';
import { needsKernels } from '@sentinel/native-probes/fake-gpu/needs';
import { sentinel } from '../harness/cli.js';
import { EngineClient } from '../harness/engine-client.js';
import { Stack } from '../harness/stack.js';

const [HEALTHY, FAULTY] = ['a', 'b'].map((digit) => `GPU-${digit}1111111-2222-3333-4444-555555555555`) as [
  string,
  string,
];
const SCHEDULE = `name: test
overhead_budget_pct: 5
probes:
  - { type: FMA, period_seconds: 2, sm_coverage: 0.5, priority: 1, enabled: true, timeout_ms: 5000 }
`;

test('a fault injected in a lane of an SM ends in quarantine of its GPU, and the explanation names the place', {
  timeout: 300_000,
  ...needsKernels,
}, async () => {
  using gpu = await fakeGpu({ devices: [HEALTHY, FAULTY].map((uuid) => ({ uuid, cc: '8.0', sms: 2 })) });
  await using stack = await Stack.start();
  const schedule = join(stack.folder, 'gpu-schedule.yaml');
  writeFileSync(schedule, SCHEDULE);
  const engine = new EngineClient(stack);
  try {
    const agent = stack.agent({
      inject: 'gpu=1,sm=1,sub-partition=2,lane=37,family=fma32',
      env: gpu.env,
      overlay: { backend: 'cuda', schedule_file: schedule },
    });
    await agent.start();
    const first = await agent.line(
      'the first injected wrong result',
      120_000,
      ({ msg }) => msg === 'first injected wrong result',
    );
    assert.ok(Math.abs(Number(first.atUs) / 1000 - Date.now()) < 180_000);
    const quarantined = await engine.state(FAULTY, [GpuState.QUARANTINED], 120_000);
    assert.equal(quarantined.injected, true);

    const { observations, transitions } = await engine.explain(FAULTY);
    assert.deepEqual(transitions.map(({ to }) => to).sort(), [GpuState.SUSPECT, GpuState.QUARANTINED].sort());
    assert.ok(observations.length > 0);
    for (const { injected, sm, subPartition, lane } of observations)
      assert.deepEqual([injected, sm, subPartition, lane], [true, 1, 2, 37]);
    const { code, stdout } = await sentinel(stack, 'gpus', 'explain', FAULTY);
    assert.equal(code, 0);
    assert.match(stdout, /QUARANTINED INJECTED/);
    assert.match(stdout, /fma32 on SM 1, sub-partition 2, /);
    assert.match(stdout, /lane 37, within\s+iterations 0\.\.31/);

    const bystander = await engine.explain(HEALTHY);
    assert.deepEqual([bystander.health?.state, bystander.observations], [GpuState.HEALTHY, []]);
  } finally {
    engine.close();
  }
});
