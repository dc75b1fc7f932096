import { bench } from '@sentinel/bench-kit';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { allUp, killAtRandom, settleAndReconcile } from '../chaos/crash.js';
import { journalOf } from '../harness/ack-journal.js';
import { EngineClient } from '../harness/engine-client.js';
import { Random } from '../harness/random.js';
import { BUSY_AGENT, Stack } from '../harness/stack.js';

const KILLS = 500;
const QUICK_KILLS = 50;
const NODE = 'bench';

/** Kills agent, child, engine and ledger at random moments under injection, then compares what was acknowledged with what the engine has. */
export default bench({
  name: 'crash',
  run: async ({ quick, args, log }) => {
    const seed = Number(args[0] ?? Date.now() % 2 ** 32);
    log(`seed ${seed} (give it as argument to repeat the run)`);
    await using stack = await Stack.start({ agent: BUSY_AGENT });
    const agent = stack.agent({ node: NODE, inject: 'core=1,family=fma32,rate=0.01' });
    await agent.start();
    const pauses = quick ? { leastPauseMs: 100, mostPauseMs: 900 } : { leastPauseMs: 50, mostPauseMs: 2_000 };
    const kills = quick ? QUICK_KILLS : KILLS;
    const killed = await killAtRandom(stack, agent, { kills, random: new Random(seed), ...pauses });
    await allUp(stack, agent);
    await awaitQuarantine(stack);
    const { runs, failures, lost, doubled } = await settleAndReconcile(stack, agent, journalOf(stack, NODE));
    log(`${JSON.stringify(killed)}; ${runs} runs acknowledged and compared, ${failures} failing`);
    for (const { where, what } of [...lost, ...doubled]) log(`${where}: ${what}`);
    const count = (findings: typeof lost): number => findings.reduce((sum, finding) => sum + finding.runs, 0);
    return { figures: { kills, lost: count(lost), doubled: count(doubled) } };
  },
});

/** The decision is the one that an undisturbed run makes. */
async function awaitQuarantine(stack: Stack): Promise<void> {
  const engine = new EngineClient(stack);
  try {
    const { gpu } = await engine.deviceOf(NODE);
    await engine.state(gpu, [GpuState.QUARANTINED, GpuState.DEEP_TEST], 90_000);
  } finally {
    engine.close();
  }
}
