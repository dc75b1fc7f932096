import { join } from 'node:path';
import type { TestAgent } from '@sentinel/correlation-engine/testing';
import type { PostgresServer } from '@sentinel/test-kit';
import type { Decision } from '../check/decisions.js';
import { ReplicaSet } from '../harness/replica-set.js';
import type { Clocks } from './clocks.js';
import { decisions } from './evidence.js';
import { SpoolAgent } from './spool-agent.js';
import { SETTINGS, SKEWED_ENGINE } from './world.js';

const DATABASE = 'undisturbed';
const PATIENCE_MS = 900_000;

export interface UndisturbedInput {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly agents: readonly SpoolAgent[];
  readonly clocks: Clocks;
}

/** What one engine decides that nothing happens to, about the same records of the same agents. */
export async function undisturbed({ folder, postgres, agents, clocks }: UndisturbedInput): Promise<Decision[]> {
  await postgres.sql(`create database ${DATABASE}`);
  const url = new URL(postgres.url);
  url.pathname = DATABASE;
  const home = join(folder, DATABASE);
  await using engine = await ReplicaSet.start({
    folder: home,
    count: 1,
    settings: () => ({
      ...SETTINGS,
      database: { postgres_url: url.href, sslmode: 'disable' },
      history: { url: `file://${join(home, 'history')}` },
    }),
    program: { bin: SKEWED_ENGINE, env: () => ({ ENGINE_CLOCK_FILE: clocks.common.file }) },
  });
  const { grpc } = engine.at(0);
  await Promise.all(agents.map(({ agent }, index) => deliverAgain(agent, index, grpc, clocks)));
  return await decisions(postgres, DATABASE);
}

async function deliverAgain(agent: TestAgent, index: number, grpc: string, clocks: Clocks): Promise<void> {
  const skewMs = (): number => clocks.common.skewMs;
  const again = new SpoolAgent({ seed: 0, index, door: () => grpc, skewMs, continues: agent });
  again.fill();
  await again.run(AbortSignal.timeout(PATIENCE_MS));
  if (!again.delivered) throw new Error(`the undisturbed run did not end: ${again.progress}`);
}
