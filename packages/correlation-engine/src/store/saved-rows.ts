import { type RawBuilder, sql } from 'kysely';
import type { CoreConfig, DeviceState, FleetFacts, NodeState, SavedDigests, SavedState } from '../core.js';
import { type LoadedState, savedState } from './loaded-state.js';
import type { CounterTable } from './schema.js';

/** One row of a copy of the state. */
export interface SavedRow {
  readonly kind: string;
  readonly id: string;
  readonly body: unknown;
}

/** [kind, id, body] of the whole state, as a query: a copy of it is made inside the database. */
export const SAVED_ROWS = `select 'device' as kind, id, body from devices union all
  select 'node', node, body from nodes union all
  select 'saved', node || ' ' || job, body from saved_digests union all
  select 'fact', name, body from facts union all
  select 'counter', device_id || ' ' || family, row_to_json(c) from counters c`;

export function savedRows(): RawBuilder<unknown> {
  return sql.raw(SAVED_ROWS);
}

/** The state of such a copy; null = it has no configuration, so that nothing was decided by then. */
export function stateOf(rows: readonly SavedRow[]): SavedState | null {
  const of = <T>(kind: string): T[] => rows.filter((row) => row.kind === kind).map(({ body }) => body as T);
  const fact = <T>(name: string): T | null =>
    (rows.find(({ kind, id }) => kind === 'fact' && id === name)?.body as T | undefined) ?? null;
  const config = fact<CoreConfig>('config');
  if (config === null) return null;
  const loaded = {
    devices: of<DeviceState>('device'),
    nodes: of<NodeState>('node'),
    saved: of<SavedDigests>('saved'),
    counters: of<CounterTable>('counter'),
    fleet: fact<FleetFacts>('fleet'),
    canaries: fact<NonNullable<LoadedState['canaries']>>('canaries'),
    config,
  };
  return savedState(loaded, config);
}
