import type { Family } from './model.js';

const NAMES: ReadonlyMap<Family, string> = new Map([
  [1, 'fma32'],
  [2, 'int_aes'],
  [3, 'fma64'],
  [4, 'cpu_reg'],
  [5, 'cpu_mem'],
]);

/** Families whose golden is exact integer arithmetic, the same on every architecture. A small cohort may accuse by these alone. */
export const ARCHITECTURE_INDEPENDENT: ReadonlySet<Family> = new Set([1, 2, 3, 4, 5]);

/** Name of a `sentinel.v1.ProbeFamily`, as the probes and the command line use it. */
export function familyName(family: Family): string {
  return NAMES.get(family) ?? `family ${family}`;
}
