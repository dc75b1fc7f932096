/**
 * Names in Redis, all below `sentinel:{FLEET}:`, where FLEET is the id of the fleet's database. The braces keep them on one shard.
 *
 * - `sentinel:{FLEET}:states`, a hash: one field for each device, `COMMIT_SEQ JSON`, and one for each engine that writes,
 *   `@generation/WRITER`, which says how far the writer's devices are up to date. It vanishes when no engine has written for KEPT_S.
 * - `sentinel:{FLEET}:live`, a channel: what happens, as JSON.
 */
export interface FleetKeys {
  readonly states: string;
  readonly live: string;
  /** A field of `states` that is no device. */
  readonly generation: string;
}

/** Seconds that the states of a fleet without an engine stay. */
export const KEPT_S = 3_600;
const GENERATION = '@generation/';

export function fleetKeys(fleet: string, writer: string): FleetKeys {
  const prefix = `sentinel:{${fleet}}`;
  return { states: `${prefix}:states`, live: `${prefix}:live`, generation: `${GENERATION}${writer}` };
}

export function isDevice(field: string): boolean {
  return !field.startsWith(GENERATION);
}
