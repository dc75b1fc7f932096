import type { Draft } from './draft.js';
import type { CounterIncrement } from './effects.js';
import type { Family } from './model/terms.js';
import type { Exposure } from './model/unit.js';

/** What ran, by device and family. The only thing that a unit which never failed leaves behind. */
export type ExposureIndex = Map<string, Map<Family, Exposure>>;

/** A stored row of it. */
export interface ExposureRow extends Exposure {
  deviceId: string;
  family: Family;
}

/** Counts executions of this transaction. */
export function addExposure(draft: Draft, increment: CounterIncrement): void {
  addTo(draft.exposure, increment);
}

/** As the draft sees it; undefined = nothing ran. For reading only. */
export function exposureOf(draft: Draft, deviceId: string, family: Family): Exposure | undefined {
  const base = committed(draft, deviceId)?.get(family);
  const more = draft.exposure.get(deviceId)?.get(family);
  if (base === undefined || more === undefined) return base ?? more;
  return sumOf(base, more);
}

/** What ran before this transaction, of the hardware that has the id now; of archived hardware, while it had its old id last. */
function committed({ base, moved }: Draft, deviceId: string): ReadonlyMap<Family, Exposure> | undefined {
  if (moved.has(deviceId)) return undefined;
  for (const [from, to] of moved) if (to === deviceId) return base.exposure.get(from);
  return base.exposure.get(deviceId);
}

/** All families of a device together; undefined = nothing ran. */
export function deviceExposure(draft: Draft, deviceId: string): Exposure | undefined {
  const base = committed(draft, deviceId)?.values() ?? [];
  const more = draft.exposure.get(deviceId)?.values() ?? [];
  return sumOfExposures([...base, ...more]);
}

/** undefined = of none. */
function sumOfExposures(parts: readonly Exposure[]): Exposure | undefined {
  let total: Exposure | undefined;
  for (const part of parts) total = total === undefined ? part : sumOf(total, part);
  return total;
}

/** What ran under an id belongs to another one, beside what ran under that. */
export function moveExposure(index: ExposureIndex, from: string, to: string): void {
  const families = index.get(from) ?? [];
  index.delete(from);
  for (const [family, exposure] of families) addTo(index, { deviceId: to, family, ...exposure });
}

/** Merges what a transaction counted, once it is committed. */
export function installExposure(index: ExposureIndex, more: ExposureIndex): void {
  for (const [deviceId, families] of more)
    for (const [family, exposure] of families) addTo(index, { deviceId, family, ...exposure });
}

export function addTo(index: ExposureIndex, row: ExposureRow): void {
  let families = index.get(row.deviceId);
  if (families === undefined) {
    families = new Map();
    index.set(row.deviceId, families);
  }
  const sum = families.get(row.family);
  if (sum === undefined) {
    const { runs, executions, failures, notRun, firstRunUs, lastRunUs } = row;
    families.set(row.family, { runs, executions, failures, notRun, firstRunUs, lastRunUs });
    return;
  }
  sum.runs += row.runs;
  sum.executions += row.executions;
  sum.failures += row.failures;
  sum.notRun += row.notRun;
  sum.firstRunUs = Math.min(sum.firstRunUs, row.firstRunUs);
  sum.lastRunUs = Math.max(sum.lastRunUs, row.lastRunUs);
}

/** In a stable order. */
export function exposureRows(index: ExposureIndex): ExposureRow[] {
  return [...index.keys()].sort().flatMap((deviceId) => {
    const families = index.get(deviceId) ?? new Map<Family, Exposure>();
    return [...families.keys()]
      .sort((a, b) => a - b)
      .map((family) => ({ deviceId, family, ...(families.get(family) as Exposure) }));
  });
}

function sumOf(a: Exposure, b: Exposure): Exposure {
  return {
    runs: a.runs + b.runs,
    executions: a.executions + b.executions,
    failures: a.failures + b.failures,
    notRun: a.notRun + b.notRun,
    firstRunUs: Math.min(a.firstRunUs, b.firstRunUs),
    lastRunUs: Math.max(a.lastRunUs, b.lastRunUs),
  };
}
