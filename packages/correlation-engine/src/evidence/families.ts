import type { Family } from './model/terms.js';

/** Stands for what a device does in jobs: no probe runs it, and it has no SM. */
export const JOB: Family = 0;

const NAMES: ReadonlyMap<Family, string> = new Map([
  [1, 'fma32'],
  [2, 'int_aes'],
  [3, 'fma64'],
  [4, 'cpu_reg'],
  [5, 'cpu_mem'],
  [6, 'fma16'],
  [7, 'bf16'],
  [8, 'tc_fp16'],
  [9, 'tc_bf16'],
  [10, 'tc_tf32'],
  [11, 'tc_fp8'],
  [12, 'tc_int8'],
  [13, 'tc_fp64'],
  [14, 'sfu'],
  [15, 'regfile'],
  [16, 'smem'],
  [17, 'l2'],
  [18, 'hbm'],
  [19, 'copy'],
  [20, 'cpu_libm'],
  [21, 'cpu_bf16'],
]);

/** The one whose golden is what most SMs compute: architectures differ. */
const SFU: Family = 14;

/** Families of probes whose golden is exact integer arithmetic, the same on every architecture. A small cohort may accuse by these alone. */
export const ARCHITECTURE_INDEPENDENT: ReadonlySet<Family> = new Set(
  [...NAMES.keys()].filter((family) => family !== SFU),
);

/** Name of a `sentinel.v1.ProbeFamily`, as the probes and the command line use it; "job" for what is no probe. */
export function familyName(family: Family): string {
  return family === JOB ? 'job' : (NAMES.get(family) ?? `family ${family}`);
}
