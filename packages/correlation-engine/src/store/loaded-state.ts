import type {
  CanaryFacts,
  CoreConfig,
  DeviceState,
  ExposureRow,
  FleetFacts,
  NodeState,
  SavedDigests,
  SavedState,
} from '../core.js';
import type { Head, UnarchivedRow } from './commit-rows.js';
import type { CounterTable } from './schema.js';

/** All that the engine keeps in memory, as one consistent reading. */
export interface LoadedState {
  readonly head: Head;
  readonly devices: DeviceState[];
  readonly nodes: NodeState[];
  readonly saved: SavedDigests[];
  readonly fleet: FleetFacts | null;
  readonly canaries: CanaryFacts | null;
  /** null = a new database. */
  readonly config: CoreConfig | null;
  readonly spools: { node: string; spool_id: string; committed_through: number; archived_through: number }[];
  readonly unarchived: UnarchivedRow[];
  readonly owners: { node: string; epoch: number }[];
  readonly counters: CounterTable[];
}

type Decided = Pick<LoadedState, 'devices' | 'nodes' | 'saved' | 'fleet' | 'canaries' | 'config' | 'counters'>;

/** What the core loads; `fallback` is the configuration of a new database. */
export function savedState(loaded: Decided, fallback: CoreConfig): SavedState {
  const { devices, nodes, saved, fleet, config, counters, canaries } = loaded;
  return { devices, nodes, saved, fleet, canaries, config: config ?? fallback, exposure: counters.map(exposureRow) };
}

function exposureRow(row: CounterTable): ExposureRow {
  const { device_id: deviceId, family, runs, executions, failures, not_run: notRun, last_run_us: lastRunUs } = row;
  return { deviceId, family, runs, executions, failures, notRun, lastRunUs, firstRunUs: row.first_run_us ?? lastRunUs };
}
