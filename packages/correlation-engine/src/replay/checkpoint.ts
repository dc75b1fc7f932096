import type { Kysely } from 'kysely';
import type { CoreConfig, DeviceState, FleetFacts, NodeState, SavedState } from '../core.js';
import type { CounterTable, Tables } from '../store/schema.js';
import { type LoadedState, savedState } from '../store/state-store.js';

/** The state as the release that runs found it. */
export interface Checkpoint {
  /** The last record that an earlier release decided. */
  readonly commitSeq: number;
  readonly nowUs: number;
  readonly saved: SavedState;
}

/** null = no earlier release decided anything. */
export async function readCheckpoint(db: Kysely<Tables>): Promise<Checkpoint | null> {
  const head = await db.selectFrom('checkpoint').selectAll().executeTakeFirst();
  if (head === undefined || head.commit_seq === 0) return null;
  const rows = await db.selectFrom('checkpoint_rows').selectAll().execute();
  const of = <T>(kind: string): T[] => rows.filter((row) => row.kind === kind).map(({ body }) => body as T);
  const fact = <T>(name: string): T | null =>
    (rows.find(({ kind, id }) => kind === 'fact' && id === name)?.body as T | undefined) ?? null;
  const config = fact<CoreConfig>('config');
  if (config === null) return null;
  const loaded = {
    devices: of<DeviceState>('device'),
    nodes: of<NodeState>('node'),
    counters: of<CounterTable>('counter'),
    fleet: fact<FleetFacts>('fleet'),
    canaries: fact<NonNullable<LoadedState['canaries']>>('canaries'),
    config,
  };
  return { commitSeq: head.commit_seq, nowUs: head.now_us, saved: savedState(loaded, config) };
}
