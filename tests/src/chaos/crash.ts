import { setTimeout as delay } from 'node:timers/promises';
import { gather } from '../check/gather.js';
import { type Reconciliation, reconcile, UnsettledError } from '../check/reconcile.js';
import { EngineClient } from '../harness/engine-client.js';
import { agentChildren } from '../harness/proc.js';
import type { Random } from '../harness/random.js';
import type { Service } from '../harness/service.js';
import type { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

export const VICTIMS = ['agent', 'child', 'engine', 'ledger'] as const;
export type Victim = (typeof VICTIMS)[number];

/** An agent that was refused a few times waits for half a minute. */
const CONNECTED_MS = 120_000;
const SETTLE_ATTEMPTS = 6;
/** Long enough for a session: hello, resend, acknowledgements. */
const SETTLE_MS = 4_000;

export interface CrashPlan {
  readonly kills: number;
  readonly random: Random;
  /** Pause between two kills, uniformly from here … */
  readonly leastPauseMs: number;
  /** … to here. */
  readonly mostPauseMs: number;
  readonly victims?: readonly Victim[];
  readonly log?: (line: string) => void;
}

/** Kills processes of a running stack at random moments while they are kept up. @returns how often each was killed */
export async function killAtRandom(stack: Stack, agent: Service, plan: CrashPlan): Promise<Record<Victim, number>> {
  const { random, victims = VICTIMS } = plan;
  const killed: Record<Victim, number> = { agent: 0, child: 0, engine: 0, ledger: 0 };
  for (const service of [stack.ledger, stack.engine, agent]) service.keepUp();
  for (let kills = 0; kills < plan.kills; ) {
    await delay(random.between(plan.leastPauseMs, plan.mostPauseMs));
    const victim = random.pick(victims);
    const pid = pidOf(stack, agent, victim);
    if (pid === null) continue;
    process.kill(pid, 'SIGKILL');
    kills += 1;
    killed[victim] += 1;
    plan.log?.(`kill ${kills}: ${victim}`);
  }
  return killed;
}

function pidOf(stack: Stack, agent: Service, victim: Victim): number | null {
  switch (victim) {
    case 'agent':
      return agent.pid;
    case 'engine':
      return stack.engine.pid;
    case 'ledger':
      return stack.ledger.pid;
    case 'child':
      return agent.pid === null ? null : (agentChildren(agent.pid, 'probes')[0] ?? null);
  }
}

/**
 * Stops the agent and compares what it was told with what the engine has. Where the last acknowledgements were still on their way,
 * the agent runs again until it has them.
 * @param atRest waited for once the agent has stopped
 */
export async function settleAndReconcile(
  stack: Stack,
  agent: Service,
  journalFile: string,
  atRest: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Reconciliation> {
  for (let attempt = 1; ; attempt += 1) {
    await agent.stop();
    await atRest();
    try {
      const { acknowledged, engine } = await gather(stack, journalFile);
      return reconcile(acknowledged, engine);
    } catch (error) {
      if (!(error instanceof UnsettledError) || attempt === SETTLE_ATTEMPTS) throw error;
    }
    await agent.start();
    await delay(SETTLE_MS);
  }
}

/** Waits until ledger, engine and agent serve again after the last kill. */
export async function allUp(stack: Stack, agent: Service): Promise<void> {
  await Promise.all([stack.ledger.ready(), stack.engine.ready(), agent.ready()]);
  const engine = new EngineClient(stack);
  try {
    await until(
      'the agent connected',
      CONNECTED_MS,
      async () => (await engine.gpus()).some(({ connected }) => connected),
      200,
    );
  } finally {
    engine.close();
  }
}
