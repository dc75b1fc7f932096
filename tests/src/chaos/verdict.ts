import { compareDecisions, type Decision } from '../check/decisions.js';
import { compareEvents } from '../check/events.js';
import { type Finding, reconcile } from '../check/reconcile.js';
import { until } from '../harness/until.js';
import { decisions, engineEvidence, sentBy, sentEvents } from './evidence.js';
import type { World } from './world.js';

const DATABASE = 'postgres';
const OUTBOX_MS = 60_000;

export interface Verdict {
  readonly runs: number;
  readonly failures: number;
  readonly lost: readonly Finding[];
  readonly doubled: readonly Finding[];
}

/** Everything was delivered: what the engines have against what the agents sent, and what was decided against the undisturbed decisions. */
export async function verdict(world: World, expected: readonly Decision[]): Promise<Verdict> {
  const { postgres, historyFolder: folder, cluster } = world.stores;
  await until('the outbox is empty', OUTBOX_MS, async () => {
    const [row] = await postgres.sql('select count(*)::int as pending from outbox');
    return row?.pending === 0;
  });
  const evidence = await engineEvidence(postgres, DATABASE, { folder, cluster });
  const kept = reconcile(
    world.agents.flatMap(({ agent }) => sentBy(agent)),
    evidence,
  );
  const decided = await decisions(postgres, DATABASE);
  const made = compareDecisions(expected, decided);
  const told = compareEvents(decided, sentEvents(world.ledger));
  const takenBack = world.agents.flatMap((agent) => [...agent.takenBack]);
  const broken: Finding[] = takenBack.map((what) => ({ where: 'promise', what, runs: 1 }));
  return {
    runs: kept.runs,
    failures: kept.failures,
    lost: [...kept.lost, ...made.lost, ...told.lost, ...broken],
    doubled: [...kept.doubled, ...made.doubled, ...told.doubled],
  };
}
