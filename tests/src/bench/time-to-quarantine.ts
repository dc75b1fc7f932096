import { bench } from '@sentinel/bench-kit';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { EngineClient } from '../harness/engine-client.js';
import { Stack } from '../harness/stack.js';

const RUNS = 5;
const QUICK_RUNS = 1;
const NODE = 'bench';
const US_PER_SECOND = 1e6;

/** Injects a fault into one CPU of a stack with the settings of `npm start` and times its way to QUARANTINED. */
export default bench({
  name: 'time-to-quarantine',
  run: async ({ quick, log }) => {
    const runs = quick ? QUICK_RUNS : RUNS;
    const seconds: number[] = [];
    for (let run = 1; run <= runs; run += 1) {
      const took = await timeToQuarantine();
      log(`run ${run} of ${runs}: ${took.toFixed(1)} s`);
      seconds.push(took);
    }
    return { figures: { seconds: Math.max(...seconds), runs: seconds.length } };
  },
});

async function timeToQuarantine(): Promise<number> {
  await using stack = await Stack.start();
  const engine = new EngineClient(stack);
  try {
    const agent = stack.agent({ node: NODE, inject: 'core=1,family=fma32,rate=0.01' });
    await agent.start();
    const { gpu } = await engine.deviceOf(NODE);
    const first = await agent.line(
      'the first injected wrong result',
      60_000,
      ({ msg }) => msg === 'first injected wrong result',
    );
    await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 120_000);
    const { transitions } = await engine.explain(gpu);
    const quarantine = transitions.find(({ to }) => to === GpuState.QUARANTINED);
    return (Number(quarantine?.timeUs) - Number(first.atUs)) / US_PER_SECOND;
  } finally {
    engine.close();
  }
}
